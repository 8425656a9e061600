"""The kernels of guestbench and the groups in which they are judged."""

GROUPS = {
    "integer": ["int_alu", "sieve", "sort_qsort", "crc32_table", "sha256_blocks", "lz_match", "chase", "bytecode_vm",
                "call_fib"],
    "fp": ["matmul_f64", "nbody_f64", "mandel_f32"],
    "system": ["sys_getppid", "ctx_pipe", "fork_exit", "page_touch"],
    "int_div": ["int_div"],
    "str_libc": ["str_libc"],
}

# Largest ratio to native that the translator is to have, as geometric mean of the group.
GOALS = {"integer": 3.0, "fp": 6.0, "system": 8.0, "int_div": 20.0, "str_libc": 15.0}

ENGINES = {"interpreter": "interp", "translator": "jit"}  # as tables and --only call them: value of --engine

SLOW_ENGINE = "interpreter"

# In the order in which guestbench runs and prints them, whatever the order of its arguments.
RUN_ORDER = ["int_alu", "sieve", "sort_qsort", "crc32_table", "sha256_blocks", "lz_match", "matmul_f64", "nbody_f64",
             "mandel_f32", "str_libc", "chase", "bytecode_vm", "call_fib", "int_div", "sys_getppid", "ctx_pipe",
             "fork_exit", "page_touch"]


def in_run_order(names):
    return [name for name in RUN_ORDER if name in names]
