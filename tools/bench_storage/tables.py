"""Tables of a measurement in Markdown."""


def _head(columns):
    return ["| " + " | ".join(columns) + " |", "|---|" + "--:|" * (len(columns) - 1)]


def _cell(value, digits=0):
    return "" if value is None else f"{value:.{digits}f}"


def _ratio(a, b):
    return f"{a / b:.2f}" if a and b else ""


def of(best, cases):
    """MiB/s and processor seconds per GiB by case; ratios where both sides were measured."""
    columns = list(dict.fromkeys(column for column, _ in best))
    ratios = [(a, b) for a, b in (("AVIO", "fio"), ("AVIO", "VIO")) if a in columns and b in columns]
    heads = ["store, requests"] + [f"{c} MiB/s" for c in columns] + [f"{a} : {b}" for a, b in ratios]
    heads += [f"{c} CPU s/GiB" for c in columns] + [f"CPU, {a} : {b}" for a, b in ratios]
    guests = [c for c in columns if c != "fio"]
    heads += [f"{c} slots" for c in guests]
    lines = _head(heads)
    for case in cases:
        rate = {c: best[c, case].mib_per_s for c in columns if (c, case) in best}
        cpu = {c: best[c, case].cpu_s_per_gib for c in columns if (c, case) in best}
        cells = [str(case)] + [_cell(rate.get(c)) for c in columns] + [_ratio(rate.get(a), rate.get(b)) for a, b in ratios]
        cells += [_cell(cpu.get(c), 2) for c in columns] + [_ratio(cpu.get(a), cpu.get(b)) for a, b in ratios]
        cells += [f"{best[c, case].slots_per_request / 1000:.1f}k" for c in guests]
        lines.append("| " + " | ".join(cells) + " |")
    return lines + [""]
