// Entering generated code, and what happens when it comes back.
#include "cpu/jit/native_engine.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <ctime>
#include <cstdlib>
#include <limits>

#include "base/invariant.h"
#include "cpu/decode/op_info.h"
#include "cpu/jit/float_forms.h"
#include "cpu/jit/x64_emitter.h"
#include "cpu/translate/region.h"

#include <fmt/format.h>
#include <unistd.h>

namespace ia64::cpu::jit {

namespace {
/// Without vector instructions of three operands and fused multiply-add, floating point goes through handlers.
TranslatorOptions fit_for_host(TranslatorOptions options) {
  Optimisations& on = options.optimisations;
  if (!options.host.avx || !options.host.fma) on.native_float = on.native_float_moves = on.native_float_memory = false;
  return options;
}

/// Longest stay in generated code: other threads read the instruction count.
constexpr i64 kBurst = i64{1} << 22;
/// How much rarer than a region's head its other blocks may be entered.
constexpr i64 kColdness = 32;
/// To find out which values of a unit do not stay in registers. After that many, all are stored where they are defined.
constexpr unsigned kAttempts = 4;
/// An access site must hit so many times as often as it misses.
constexpr u64 kWorthwhile = 6;
/// How often generated code may be left in front of a floating-point instruction before that is left to its handler.
constexpr u32 kOften = 64;
/// The instructions between two such times, when the others pay for them: an exception of the host costs some microseconds.
constexpr u64 kBetweenOdd = 1000;
/// For how many instructions it is left there before it is tried again: at first, and at most.
constexpr u64 kFirstWait = u64{1} << 22;
constexpr u64 kLongestWait = u64{1} << 40;
/// The instructions between two entries that a region's test refuses, when they are worth it.
constexpr u64 kBetweenMisfits = 4000;
/// How often a region may lose one of its pages before its head is left alone.
constexpr u8 kRemakes = 8;

/// What may be made beyond the limit of the cache before it is looked at.
constexpr size_t kCacheRoom = size_t{8} << 20;

/// An instruction that the assembler refuses would be missing from the code.
class NoErrors final : public asmjit::ErrorHandler {
  void handleError(asmjit::Error, const char* message, asmjit::BaseEmitter*) override {
    std::fprintf(stderr, "translator: %s\n", message);
    INVARIANT(false);
  }
};

/// Of this thread: what a busy host does meanwhile does not count.
u64 processor_time_ns() {
  timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<u64>(t.tv_sec) * 1'000'000'000 + static_cast<u64>(t.tv_nsec);
}
}  // namespace

NativeEngine::NativeEngine(Interpreter& interpreter, const TranslatorOptions& options)
    : interpreter_(interpreter),
      core_(interpreter.core_),
      options_(fit_for_host(options)),
      rules_(ir::make_rules(options_.optimisations)),
      layout_(core_),
      cache_(options.cache_bytes + kCacheRoom),
      traps_(options_.optimisations.native_float && options_.optimisations.float_traps) {
  state_.engine = this;
  layout_.host = options.host;
  if (options.count_handlers) handler_counts_.resize(op_count()), layout_.handler_counts = handler_counts_.data();
  stubs_ = make_stubs(cache_, layout_, state_, reinterpret_cast<const void*>(&dynamic_target),
                      reinterpret_cast<const void*>(&find_target), reinterpret_cast<const void*>(&judge_site));
  cache_.keep();
  clear_returns();
}

NativeEngine::~NativeEngine() = default;

/// ir::Mode::pack() of the moment. Built from whole words: this is asked at every indirect branch.
u32 NativeEngine::mode_now(bool ed) const {
  const Registers& r = core_.r_;
  const u64 psr = r.psr;
  const Cfm& cfm = r.cfm;
  return FastTlb::fetch_mode(psr) | u32{cfm.sor} << 2 | u32{(cfm.rrb_gr | cfm.rrb_fr | cfm.rrb_pr) != 0} << 9 |
         (psr & psr::kBe ? 1u << 10 : 0) | (psr & psr::kIc ? 1u << 11 : 0) | u32{ed} << 12 |
         u32{ir::Mode::frame_of(cfm.sof, cfm.sol)} << ir::Mode::kFramePos;
}

// --- translation -------------------------------------------------------------------------------------------------

std::unique_ptr<NativeBlock> NativeEngine::translate(Block& block, u64 ip, u8 slot, u32 mode_bits) {
  const ir::Mode mode = ir::Mode::unpack(mode_bits);
  auto native = std::make_unique<NativeBlock>();
  native->ip = ip, native->slot = slot;
  native->mode = mode, native->mode_bits = mode_bits, native->block = &block;
  ir::Unit unit = ir::Lowering(rules_, block, native->ip, native->slot, mode).run();
  const bool dump = dump_.wants(block, native->ip);
  if (dump) dump_.guest_code(block, unit), dump_.intermediate("before passes", unit);
  ir::optimise(unit, options_.optimisations);
  if (dump) dump_.intermediate("after passes", unit);
  if (options_.verify) INVARIANT(ir::verify(unit).empty());

  if (options_.optimisations.regions) native->countdown = static_cast<i32>(options_.region_threshold), native->hot = stubs_.hot;
  if (!emit(unit, *native)) counters_.refused++;
  else counters_.blocks++;
  return native;
}

/// Where the code at `ip` lies: on another page than `head`, as far as it has been fetched from there.
bool NativeEngine::knows_page(const NativeBlock& head, u64 ip, GuestPhys& page) {
  page = head.block->phys() & ~u64{0xfff};
  if (((ip ^ head.ip) >> 12) == 0) return true;
  const FastTlb::FetchEntry& there = core_.fast_tlb_.fetch_slot(ip);
  const u64 context = core_.fast_tlb_.known_context(FastTlb::fetch_mode(core_.r_.psr), static_cast<unsigned>(ip >> 61));
  page = there.phys;
  return there.tag == ((ip & ~u64{0xfff}) | context);
}

/// The translation at `ip`, or nullptr.
NativeBlock* NativeEngine::known_block(const NativeBlock& head, u64 ip, u32 mode_bits) {
  GuestPhys page;
  if (!knows_page(head, ip, page)) return nullptr;
  const auto it = blocks_.find({page | (ip & 0xfff), ip, mode_bits});
  return it == blocks_.end() ? nullptr : it->second.get();
}

NativeBlock* NativeEngine::worth_joining(const NativeBlock& head, u64 ip, u32 mode_bits) {
  NativeBlock* const block = known_block(head, ip, mode_bits);
  if (!block || !block->entry) return nullptr;
  const i64 entered = i64{options_.region_threshold} - block->countdown;
  return block->region || block->alone || entered * kColdness >= options_.region_threshold ? block : nullptr;
}

/// Whether what a region was made of is still what its addresses lead to.
NativeEngine::Pages NativeEngine::look_at_parts(const NativeBlock& region) {
  counters_.looks_at_parts++;
  GuestPhys page;
  for (const NativeBlock& part : region.parts) {
    if (part.slot) continue;  // only the head may begin within a bundle
    if (!knows_page(region, part.ip, page)) return Pages::Unknown;
    const NativeBlock* const now = known_block(region, part.ip, part.mode_bits);
    if (!now || now->block != part.block) return Pages::Others;
  }
  return Pages::Same;
}

/// Where to enter a block: not through a region of several pages that are no longer, or not known to be, what they were.
const void* NativeEngine::way_in(NativeBlock& native) {
  NativeBlock* const region = native.region.get();
  if (!region || !region->several_pages || region->key == interpreter_.fetch_key()) return native.entry;
  switch (look_at_parts(*region)) {
    case Pages::Same: region->key = interpreter_.fetch_key(); return native.entry;
    case Pages::Unknown: return native.uncounted;
    case Pages::Others: break;
  }
  enter_through(native, nullptr);
  native.countdown = static_cast<i32>(options_.region_threshold);
  if (native.remade++ == kRemakes) stays_alone(native);
  return native.entry;
}

/// Whoever comes to `head` goes through `region`, or to the head's own translation when there is none.
void NativeEngine::enter_through(NativeBlock& head, std::unique_ptr<NativeBlock> region) {
  if (!head.counted) head.counted = head.entry;
  head.hot = region ? region->entry : stubs_.hot;
  if (region) head.countdown = 0;
  enter_at(head, region ? region->entry : head.counted);
  if (head.region) dropped_.push_back(std::move(head.region));
  head.region = std::move(region);
}

/// Translates what `head` leads to as one unit, which then takes its place. When nothing comes of it, `head` is not asked again.
void NativeEngine::make_region(NativeBlock& head) {
  if (head.region) return judge_fit(head);  // or fetch keys have changed: way_in() sees to that
  head.countdown = std::numeric_limits<i32>::max();
  if (flush_) return;
  const auto find = [&](u64 ip, ir::Mode mode) -> Block* {
    const u64 apart = ip ^ head.ip;
    if (apart >> 61 || (apart >> 12 && !options_.optimisations.wide_regions)) return nullptr;  // fetch keys are by region of addresses
    NativeBlock* const block = worth_joining(head, ip, mode.pack());
    return block ? block->block : nullptr;
  };
  ir::RegionBuilder builder(rules_, head.mode, find, options_.region_limits);
  const Optimisations& on = options_.optimisations;
  if (on.rotating_loops && on.pending_writes) builder.allow_windows();  // what closes a window is a pending write
  if (on.inlined_calls && on.native_calls && on.return_stack) builder.allow_inlining([this](u8 b) { return core_.r_.br[b]; });
  ir::Unit unit = builder.build(*head.block, head.ip, head.slot);
  if (unit.blocks.empty()) return stays_alone(head);
  const bool dump = dump_.wants(*head.block, head.ip);
  if (dump) dump_.intermediate("region before passes", unit);
  ir::optimise(unit, options_.optimisations);
  if (dump) dump_.intermediate("region after passes", unit);
  if (options_.verify) INVARIANT(ir::verify(unit).empty());
  auto region = std::make_unique<NativeBlock>();
  region->ip = head.ip, region->slot = head.slot, region->mode = head.mode, region->mode_bits = head.mode_bits, region->block = head.block;
  region->fallback = &head;
  region->key = interpreter_.fetch_key();
  region->since = core_.slots_retired();
  for (const ir::Part& part : unit.parts) {
    NativeBlock& named = region->parts.emplace_back();
    named.ip = part.ip, named.slot = part.slot, named.block = part.block, named.fallback = &head;
    named.mode = part.mode, named.mode_bits = named.mode.pack();
    if ((part.ip ^ head.ip) >> 12) region->several_pages = true;
  }
  if (!emit(unit, *region)) {
    counters_.refused++;
    return stays_alone(head);
  }
  counters_.regions++;
  counters_.windows += builder.windowed();
  counters_.span_loops += unit.span_loops;
  counters_.inlined += builder.inlined();
  counters_.wide_regions += region->several_pages;
  counters_.region_parts += unit.parts.size();
  enter_through(head, std::move(region));
}

/// No region came of `head`: it need not be counted any more.
void NativeEngine::stays_alone(NativeBlock& head) {
  head.alone = true;
  enter_at(head, head.uncounted);
}

/// Lets everything that leads to `native` lead to `code`.
void NativeEngine::enter_at(NativeBlock& native, const void* code) {
  native.entry = code;
  for (Link* link : native.incoming) link->lead_to(code);
  NativeScratch::Jump& jump = core_.native_scratch_.jumps[NativeScratch::jump_index(native.ip)];
  if (jump.ip == native.ip) jump = {};
}

/// Makes the host code of `native`. Values that turn out to need a place in memory are stored where they are defined, which takes
/// another attempt. @returns false when there are too many of them
bool NativeEngine::emit(const ir::Unit& unit, NativeBlock& native) {
  Liveness live(unit);
  for (unsigned attempt = 0; attempt <= kAttempts; attempt++) {
    asmjit::CodeHolder code;
    NoErrors no_errors;
    code.init(asmjit::Environment::host());
    code.setErrorHandler(&no_errors);
    native.links.clear(), native.sites.clear();
    X64Emitter emitter(code, layout_, stubs_, unit, live, native, options_.optimisations, sites_);
    if (!emitter.run()) return false;
    if (!emitter.new_spills().empty()) {
      for (ir::Value v : emitter.new_spills()) live.spilled[v] = true;
      if (attempt + 1 == kAttempts) live.spilled.assign(unit.ops.size(), true);
      continue;
    }
    u8* const entry = cache_.add(code);
    if (!entry) {
      if (code_bytes_) drop_all(DropReason::CacheFull);
      return false;
    }
    for (Link& link : native.links)
      link.code = entry, link.page = native.block->phys() & ~u64{0xfff}, link.leaves_page = (link.ip ^ native.ip) >> 12;
    for (const X64Emitter::TrapSite& trap : emitter.trap_sites()) traps_.add(entry + trap.offset, entry + code.labelOffset(trap.way_out));
    for (SiteRecord& site : native.sites) site.engine = this, site.since = core_.slots_retired();
    native.entry = entry;
    native.uncounted = entry + emitter.uncounted_offset();
    if (dump_.wants(*native.block, native.ip)) dump_.host_code(entry, code.codeSize());
    code_bytes_ += code.codeSize();
    counters_.code_bytes += code.codeSize();
    if (options_.perf_map) note_for_perf(native, code.codeSize());
    return true;
  }
  return false;
}

NativeBlock* NativeEngine::native_for(const LookupEntry& entry) {
  const u32 mode = mode_now(entry.ed);
  NativeBlock* const native = find_native(entry, mode);
  // The entry may be a copy that the interpreter keeps in a block; dynamic_target() looks into the table only.
  const LookupEntry& in_table = interpreter_.lookup_entry(entry.ip);
  if (native && in_table.ip == entry.ip && in_table.key == entry.key) in_table.native = native;
  return native;
}

NativeBlock* NativeEngine::find_native(const LookupEntry& entry, u32 mode) {
  if (entry.native && entry.native->mode_bits == mode) return entry.native;
  Block& block = *entry.block;
  if (block.runs + 1 < options_.threshold) {  // never translated: no need to look
    block.runs++;
    return nullptr;
  }
  const Key key{block.key, core_.r_.ip, mode};
  if (const auto it = blocks_.find(key); it != blocks_.end()) return entry.native = it->second.get();
  if (++block.runs < options_.threshold) return nullptr;
  if (code_bytes_ > options_.cache_bytes) flush(DropReason::CacheFull);
  auto& slot = blocks_[key];
  const u64 began_ns = processor_time_ns();
  slot = translate(block, core_.r_.ip, core_.r_.slot, mode);
  const u64 taken = processor_time_ns() - began_ns;
  std::atomic_ref(counters_.translate_ns).store(counters_.translate_ns + taken, std::memory_order_relaxed);  // others look on
  by_page_[block.phys() & ~u64{0xfff}].push_back(key);
  return entry.native = slot.get();
}

void NativeEngine::note_for_perf(const NativeBlock& native, size_t size_bytes) {
  const char* folder = std::getenv("TMPDIR");
  const std::string path = fmt::format("{}/perf-{}.map", folder ? folder : P_tmpdir, getpid());
  if (std::FILE* f = std::fopen(path.c_str(), "a")) {
    const std::string line =
        fmt::format("{:x} {:x} guest_{:x}.{}\n", reinterpret_cast<u64>(native.entry), size_bytes, native.ip, native.slot);
    std::fputs(line.c_str(), f);
    std::fclose(f);
  }
}

// --- invalidation ------------------------------------------------------------------------------------------------

void NativeEngine::drop_page(GuestPhys page) {
  const auto it = by_page_.find(page);
  if (it == by_page_.end()) return;
  counters_.pages_dropped++;
  for (const Key& key : it->second) {
    const auto block = blocks_.find(key);
    if (block == blocks_.end()) continue;
    dropped_.push_back(std::move(block->second));
    blocks_.erase(block);
  }
  by_page_.erase(it);
}

/// Not while generated code is on the stack. Look-up entries that name native blocks die with the mapping epoch.
void NativeEngine::flush(DropReason why) {
  flush_ = false;
  counters_.flushes_by[static_cast<unsigned>(why)]++;
  pending_ = nullptr;
  blocks_.clear();
  by_page_.clear();
  dropped_.clear();
  cache_.clear();
  traps_.clear();
  sites_.forget();
  rules_.forget_instructions();
  odd_.clear(), second_look_ = ~u64{0};
  code_bytes_ = 0;
  clear_returns();
  counters_.flushes++;
  core_.instruction_mappings_changed();
}

// --- running -----------------------------------------------------------------------------------------------------

/// Fills in the link that generated code last left by, when this is where it leads.
void NativeEngine::connect(NativeBlock& native) {
  Link* const link = std::exchange(pending_, nullptr);
  if (!link || !options_.optimisations.links || link->ip != native.ip || link->slot != native.slot || !(link->mode == native.mode)) return;
  if (!link->leaves_page && (native.block->phys() & ~u64{0xfff}) != link->page) return;
  link->lead_to(native.entry);
  if (link->to != &native) {
    if (link->to) link->to->incoming.erase(std::find(link->to->incoming.begin(), link->to->incoming.end(), link));
    native.incoming.push_back(link);
    link->to = &native;
  }
  link->keep_key(interpreter_.fetch_key());
  counters_.links++;
}

/// Whether the NaTs that were noted are still somewhere. Where some stay, looking often would cost more than it gives.
void NativeEngine::look_for_nats() {
  constexpr unsigned kWait = 64;
  if (nat_wait_ && --nat_wait_) return;
  const Registers& r = core_.r_;
  u64 found = 0;
  const auto look = [&found](const u8* nats, size_t count) {
    for (size_t n = 0; n < count; n += sizeof(u64)) {
      u64 eight;
      std::memcpy(&eight, nats + n, sizeof eight);
      found |= eight;
    }
  };
  look(r.gr_static_nat, sizeof r.gr_static_nat);
  look(r.gr_banked_nat, sizeof r.gr_banked_nat);
  look(r.stack_nat, sizeof r.stack_nat);
  core_.nats_ = found != 0;
  nat_wait_ = found ? kWait : 0;
}

bool NativeEngine::run(const LookupEntry& entry) {
  if (flush_) {
    flush(flush_reason_);
    entry.native = nullptr;
  }
  if (core_.slots_retired() >= second_look_) [[unlikely]] look_again();
  NativeBlock* const native = native_for(entry);
  if (!native || !native->entry) {
    pending_ = nullptr;
    return false;
  }
  connect(*native);
  if (core_.nats_ && options_.optimisations.nat_summary) look_for_nats();
  core_.fast_tlb_.follow_psr(core_.r_.psr);
  const u64 before = core_.slots_retired(), left = interpreter_.next_look() - before;
  const i64 budget = left > static_cast<u64>(kBurst) ? kBurst : static_cast<i64>(left);
  state_.budget = budget;
  counters_.enters++;
  traps_.enter();
  stubs_.enter(&state_, way_in(*native));
  const u64 executed = static_cast<u64>(budget - state_.budget);
  core_.retire(executed);
  finish(*native);
  counters_.instructions += core_.slots_retired() - before;  // those of a block that was left in its middle are known now
  return executed != 0 || state_.kind != ExitKind::Bail;
}

void NativeEngine::finish(NativeBlock& entered) {
  Registers& r = core_.r_;
  auto* const native = static_cast<NativeBlock*>(state_.where);
  switch (state_.kind) {
    case ExitKind::Bail:
      r.ip = native->ip, r.slot = native->slot;
      counters_.bails++;
      counters_.bails_by[static_cast<unsigned>(why_bailed(*native))]++;
      break;
    case ExitKind::Unlinked:
      pending_ = static_cast<Link*>(state_.where);
      r.ip = pending_->ip, r.slot = pending_->slot;
      break;
    case ExitKind::Deopt: deopt(*state_.insn, *native); break;
    case ExitKind::Handler:
      counters_.handler_exits++;
      core_.block_ip_ = native->ip;
      interpreter_.end_block(static_cast<Next>(state_.next), *state_.insn, *native->block, native->mode.ic);
      break;
    case ExitKind::Plain: break;
    case ExitKind::Hot: {
      r.ip = native->ip, r.slot = native->slot;
      const u64 began = processor_time_ns();
      make_region(*native);
      std::atomic_ref(counters_.translate_ns).store(counters_.translate_ns + processor_time_ns() - began, std::memory_order_relaxed);
      break;
    }
  }
}

/// Repeats the checks of a block's entry in their order.
BailReason NativeEngine::why_bailed(const NativeBlock& native) const {
  if (core_.attention_.load(std::memory_order_relaxed)) return BailReason::Attention;
  if (state_.budget < native.block->slots) return BailReason::Budget;
  return core_.r_.cfm.sof < native.block->needed_sof ? BailReason::Frame : BailReason::Nat;
}

/// The block has run up to `insn`, which is to be interpreted.
void NativeEngine::deopt(const Insn& insn, const NativeBlock& native) {
  Registers& r = core_.r_;
  counters_.deopts++;
  note_odd(insn, native);
  if (insn.spare == 0) state_.kind = ExitKind::Bail;  // nothing was done: the interpreter must
  core_.retire(insn.spare);
  r.ip = native.ip + u64{insn.bundle} * 16, r.slot = insn.slot;
  if (native.mode.ic && insn.spare) r.iipa = insn.slot ? r.ip : r.ip - 16;
}

const void* NativeEngine::dynamic_target(Shared* shared, const Insn* insn, NativeBlock* from) noexcept {
  Core& core = shared->engine->core_;
  if (core.trap_bits_) return nullptr;
  if (from->mode.ic) core.r_.iipa = from->ip + u64{insn->bundle} * 16;
  return find_target(shared);
}

/// Host code of the block at ip and slot, or the way out.
const void* NativeEngine::find_target(Shared* shared) noexcept {
  NativeEngine& self = *shared->engine;
  Core& core = self.core_;
  Registers& r = core.r_;
  self.counters_.dynamic_targets++;
  self.counters_.dynamic_misses++;  // taken back when it is none
  if ((r.psr & (Interpreter::kStepBits | psr::kDb)) || !self.options_.optimisations.dynamic_targets) return self.stubs_.plain;
  if (const u32 bits = core.attention_.load(std::memory_order_relaxed); bits) [[unlikely]] {
    if (bits != attention::kRseFill || !self.interpreter_.complete_frame_quietly()) return self.stubs_.plain;
  }
  const LookupEntry& entry = self.interpreter_.lookup_entry(r.ip | r.slot);
  if (entry.ip != (r.ip | r.slot) || entry.key != self.interpreter_.fetch_key()) return self.stubs_.plain;
  NativeBlock* const native = entry.native;
  if (!native || !native->entry || native->mode_bits != self.mode_now(entry.ed)) return self.stubs_.plain;
  self.counters_.dynamic_misses--;
  core.fast_tlb_.follow_psr(r.psr);
  core.code_ed_ = entry.ed;
  if (r.slot == 0) {
    core.native_scratch_.jumps[NativeScratch::jump_index(r.ip)] = {r.ip, entry.key, native->entry, native->mode_bits};
  }
  return native->entry;
}

/// Generated code has missed at `site` so often that it asks whether the site is any good. Runs below generated code, which goes on.
u64 NativeEngine::judge_site(Core* core, SiteRecord* site, i64 left) noexcept {
  NativeEngine& self = *site->engine;
  core->fast_tlb_.fill_site(site->site, site->va, site->addend);
  self.judge_sites(*site->region, core->slots_retired() + static_cast<u64>(self.state_.budget - left));
  return site->addend;
}

/// Has a region made anew without the sites that miss too often.
void NativeEngine::judge_sites(NativeBlock& region, u64 now) {
  bool fewer = false;
  for (SiteRecord& s : region.sites) {
    const u64 misses = static_cast<u64>(SiteRecord::kMisses - s.misses_left);
    if (misses >= SiteRecord::kMisses / 4 && misses * s.round * kWorthwhile > now - s.since) fewer |= sites_.note_scattered(*s.insn);
    if (s.misses_left <= 0) s.misses_left = SiteRecord::kMisses, s.since = now;
  }
  NativeBlock& head = *region.fallback;
  if (!fewer || head.region.get() != &region) return;
  enter_through(head, nullptr);
  head.countdown = 1;
  counters_.thinned++;
}

/// Entries of the region of `head` have often found floating-point registers in other forms than it assumes: too often, and it goes.
void NativeEngine::judge_fit(NativeBlock& head) {
  NativeBlock& region = *head.region;
  if (region.misfits_left > 0) return;
  const u64 now = core_.slots_retired();
  const bool often = now - region.since < u64{NativeBlock::kMisfits} * kBetweenMisfits;
  region.misfits_left = NativeBlock::kMisfits, region.since = now;
  if (!often) return;
  counters_.misfits++;
  enter_through(head, nullptr);
  stays_alone(head);
}

/// Generated code was left in front of `insn`. A floating-point instruction that does this again and again is better called, above all
/// when the host's exceptions say so.
void NativeEngine::note_odd(const Insn& insn, const NativeBlock& native) {
  if (!std::strstr(op_info(insn.op).text, "%f")) return;
  OddCount& count = odd_[&insn];
  if (++count.left % kOften) return;
  const u64 began = std::exchange(count.since, core_.slots_retired());
  if (count.since - began > u64{kOften} * kBetweenOdd) return;
  if (rules_.leave_to_handler(insn)) {
    counters_.odd_floats++;
    count.wait = count.wait ? std::min(count.wait * 2, kLongestWait) : kFirstWait;
    count.until = count.since + count.wait, count.block = native.block;
    second_look_ = std::min(second_look_, count.until);
  } else if (++count.judged > kRemakes) {
    return;  // it is not because of its floating-point registers
  }
  if (!native.fallback) return translate_again(native);
  enter_through(*native.fallback, nullptr);
  native.fallback->countdown = 1;
}

/// The operands of an instruction may have been odd for a while only: its translations are made anew without its handler. When that
/// was too early, it waits twice as long the next time.
void NativeEngine::look_again() {
  const u64 now = core_.slots_retired();
  second_look_ = ~u64{0};
  for (auto& [insn, count] : odd_) {
    if (count.until == 0) continue;
    if (count.until > now) {
      second_look_ = std::min(second_look_, count.until);
      continue;
    }
    count.until = 0, count.left = count.judged = 0, count.since = now;
    give_back(*insn, *count.block);
  }
}

void NativeEngine::give_back(const Insn& insn, const Block& block) {
  rules_.take_from_handler(insn);
  std::vector<NativeBlock*> alone, heads;
  for (const auto& [key, native] : blocks_) {
    if (native->block == &block) alone.push_back(native.get());
    if (!native->region) continue;
    const auto& parts = native->region->parts;
    if (std::any_of(parts.begin(), parts.end(), [&](const NativeBlock& p) { return p.block == &block; })) heads.push_back(native.get());
  }
  for (NativeBlock* head : heads) enter_through(*head, nullptr), head->countdown = 1;
  for (const NativeBlock* native : alone) translate_again(*native);
}

/// Makes the translation of a block anew.
void NativeEngine::translate_again(const NativeBlock& old) {
  const auto it = blocks_.find({old.block->key, old.ip, old.mode_bits});
  if (it == blocks_.end() || it->second.get() != &old) return;
  NativeBlock& head = *it->second;
  std::unique_ptr<NativeBlock> fresh = translate(*head.block, head.ip, head.slot, head.mode_bits);
  enter_through(head, nullptr);
  enter_at(head, fresh->entry);
  dropped_.push_back(std::move(it->second));
  it->second = std::move(fresh);
}

/// No call returns into generated code.
void NativeEngine::clear_returns() {
  for (const void*& code : core_.native_scratch_.returns) code = stubs_.return_missed;
}

}  // namespace ia64::cpu::jit
