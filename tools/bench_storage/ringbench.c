// ringbench: raw block throughput from inside a guest, through one io_uring with registered buffers, as fio does it on the host.
//
// Usage: ringbench DEVICE read|write|randread|randwrite BLOCK_BYTES DEPTH SECONDS
// One thread keeps DEPTH O_DIRECT requests in flight. Prints
//     IOBENCH <mode> <block> <depth> <MiB/s> <IOPS> <errors>
// "write" modes overwrite the device; fsync() at their end is part of the time.
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/io_uring.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { kMaxDepth = 256 };

struct Ring {
  int fd;
  unsigned *sq_tail, *sq_mask, *sq_array;
  unsigned *cq_head, *cq_tail, *cq_mask;
  struct io_uring_sqe *sqes;
  struct io_uring_cqe *cqes;
};

struct Load {
  int disk, writes, random;
  size_t block;
  uint64_t blocks, next, dice;
  struct iovec buffers[kMaxDepth];
};

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void die(const char *what) {
  perror(what);
  exit(1);
}

static char *map_part(int fd, size_t bytes, off_t offset) {
  void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, offset);
  if (p == MAP_FAILED) die("ringbench: mmap");
  return p;
}

static void open_ring(struct Ring *r, unsigned depth) {
  struct io_uring_params p;
  memset(&p, 0, sizeof p);
  r->fd = (int)syscall(__NR_io_uring_setup, depth, &p);
  if (r->fd < 0) die("ringbench: io_uring_setup");
  char *sq = map_part(r->fd, p.sq_off.array + p.sq_entries * sizeof(unsigned), IORING_OFF_SQ_RING);
  char *cq = map_part(r->fd, p.cq_off.cqes + p.cq_entries * sizeof(struct io_uring_cqe), IORING_OFF_CQ_RING);
  r->sqes = (struct io_uring_sqe *)map_part(r->fd, p.sq_entries * sizeof(struct io_uring_sqe), IORING_OFF_SQES);
  r->sq_tail = (unsigned *)(sq + p.sq_off.tail);
  r->sq_mask = (unsigned *)(sq + p.sq_off.ring_mask);
  r->sq_array = (unsigned *)(sq + p.sq_off.array);
  r->cq_head = (unsigned *)(cq + p.cq_off.head);
  r->cq_tail = (unsigned *)(cq + p.cq_off.tail);
  r->cq_mask = (unsigned *)(cq + p.cq_off.ring_mask);
  r->cqes = (struct io_uring_cqe *)(cq + p.cq_off.cqes);
}

static uint64_t next_block(struct Load *l) {
  if (!l->random) return l->next++ % l->blocks;
  l->dice ^= l->dice << 13, l->dice ^= l->dice >> 7, l->dice ^= l->dice << 17;
  return l->dice % l->blocks;
}

// Puts the next request of buffer `n` into the ring; the kernel hears of it with the next call.
static void queue_request(struct Ring *r, struct Load *l, unsigned n) {
  const unsigned tail = *r->sq_tail, at = tail & *r->sq_mask;
  struct io_uring_sqe *sqe = &r->sqes[at];
  memset(sqe, 0, sizeof *sqe);
  sqe->opcode = l->writes ? IORING_OP_WRITE_FIXED : IORING_OP_READ_FIXED;
  sqe->fd = l->disk;
  sqe->off = next_block(l) * l->block;
  sqe->addr = (uintptr_t)l->buffers[n].iov_base;
  sqe->len = (unsigned)l->block;
  sqe->buf_index = (uint16_t)n;
  sqe->user_data = n;
  r->sq_array[at] = at;
  __atomic_store_n(r->sq_tail, tail + 1, __ATOMIC_RELEASE);
}

static void prepare(struct Load *l, const char *device, unsigned depth) {
  l->disk = open(device, (l->writes ? O_RDWR : O_RDONLY) | O_DIRECT);
  uint64_t size = 0;
  if (l->disk < 0 || ioctl(l->disk, BLKGETSIZE64, &size)) die(device);
  l->blocks = size / l->block;
  l->dice = 88172645463325252ull;
  for (unsigned n = 0; n < depth; n++) {
    if (posix_memalign(&l->buffers[n].iov_base, 65536, l->block)) die("ringbench: memory");
    memset(l->buffers[n].iov_base, (int)n + 1, l->block);
    l->buffers[n].iov_len = l->block;
  }
}

int main(int argc, char **argv) {
  if (argc != 6) return fprintf(stderr, "usage: ringbench DEVICE MODE BLOCK DEPTH SECONDS\n"), 2;
  static struct Load load;
  struct Ring ring;
  load.writes = strstr(argv[2], "write") != NULL;
  load.random = strstr(argv[2], "rand") != NULL;
  load.block = strtoul(argv[3], 0, 0);
  const unsigned depth = (unsigned)atoi(argv[4]);
  if (depth < 1 || depth > kMaxDepth || load.block < 512) return fprintf(stderr, "ringbench: nothing to do\n"), 2;
  prepare(&load, argv[1], depth);
  if (!load.blocks) return fprintf(stderr, "ringbench: the disk is too small\n"), 2;
  open_ring(&ring, depth);
  if (syscall(__NR_io_uring_register, ring.fd, IORING_REGISTER_BUFFERS, load.buffers, depth)) die("ringbench: buffers");

  const double start = now(), stop_at = start + atof(argv[5]);
  unsigned long long done = 0, errors = 0;
  unsigned queued = 0, in_flight = 0;
  int more = now() < stop_at;
  for (unsigned n = 0; more && n < depth; n++) queue_request(&ring, &load, n), queued++, in_flight++;
  while (in_flight) {
    if (syscall(__NR_io_uring_enter, ring.fd, queued, 1, IORING_ENTER_GETEVENTS, NULL, 0) != (long)queued) die("ringbench: io_uring_enter");
    queued = 0;
    more = now() < stop_at;
    unsigned head = *ring.cq_head;
    for (; head != __atomic_load_n(ring.cq_tail, __ATOMIC_ACQUIRE); head++) {
      const struct io_uring_cqe *cqe = &ring.cqes[head & *ring.cq_mask];
      if (cqe->res == (int)load.block) done++;
      else errors++;
      if (more) queue_request(&ring, &load, (unsigned)cqe->user_data), queued++;
      else in_flight--;
    }
    __atomic_store_n(ring.cq_head, head, __ATOMIC_RELEASE);
  }
  if (load.writes) fsync(load.disk);
  const double s = now() - start;
  printf("IOBENCH %s %zu %u %.1f %.0f %llu\n", argv[2], load.block, depth, (double)done * (double)load.block / 1048576 / s, (double)done / s, errors);
  return 0;
}
