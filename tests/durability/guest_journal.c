/* Runs in a Linux guest: writes numbered records and tells which of them a flush has made durable.
 *
 *   guest_journal raw DEVICE BYTES SEED WRITERS     records at random places of the device's first BYTES, past the page cache
 *   guest_journal file FOLDER 0 SEED WRITERS        records appended to files that follow one another in FOLDER/WRITER
 *
 * Each of WRITERS processes (number w, seed SEED * 16 + w) prints "ACK w n" when its records up to n must survive, "FAULT w n" when the
 * kernel reported an error (which it then repairs by writing again), "STOP w" when that is of no use. Runs until killed or stopped.
 * What a record holds is a function of seed, number and block, so that guest_records.py can tell what should be where.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { kBlock = 512, kMaxBlocks = 32, kMaxBatch = 8, kRecordsPerFile = 64, kPatience = 200 };
static const uint64_t kMagic = 0x6c616e72756f6a21ull;

struct record {
    uint64_t number, block;
    unsigned blocks;
};
static uint64_t seed, random_state, area_blocks, next_number;
static int writer, fd = -1, folder_fd;
static const char *folder;
static unsigned char *buffer;

static uint64_t next_random(void) { /* xorshift64* */
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return random_state * 0x2545f4914f6cdd1dull;
}
static void say(const char *what, uint64_t n) { /* one write, so that lines of several writers do not mix */
    char line[64];
    int length = snprintf(line, sizeof line, "\n%s %d %llu\n", what, writer, (unsigned long long)n);
    if (write(STDOUT_FILENO, line, (size_t)length) != length) _exit(1);
}
static struct record next_record(void) {
    struct record r = {++next_number, 0, 0};
    r.blocks = 1 + (unsigned)(next_random() >> 33) % kMaxBlocks;
    r.block = (next_random() >> 11) % (area_blocks - kMaxBlocks);
    return r;
}
static void fill(const struct record *r) {
    for (unsigned i = 0; i < r->blocks; i++) {
        uint64_t *words = (uint64_t *)(buffer + i * kBlock);
        uint64_t value = seed * 0x9e3779b97f4a7c15ull + r->number * 0xc2b2ae3d27d4eb4full + i * 0x165667b19e3779f9ull;
        words[0] = kMagic, words[1] = seed, words[2] = r->number, words[3] = i;
        for (int k = 4; k < kBlock / 8; k++) words[k] = value;
    }
}
static int put_raw(const struct record *r) {
    size_t bytes = r->blocks * kBlock;
    fill(r);
    return pwrite(fd, buffer, bytes, (off_t)((writer * area_blocks + r->block) * kBlock)) == (ssize_t)bytes;
}
static int put_file(const struct record *r) {
    size_t bytes = r->blocks * kBlock;
    if ((r->number - 1) % kRecordsPerFile == 0) {
        char name[256];
        if (fd >= 0) close(fd);
        snprintf(name, sizeof name, "%s/%06llu", folder, (unsigned long long)(r->number - 1) / kRecordsPerFile);
        fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0644);
        if (fd < 0 || fsync(folder_fd)) return 0;
    }
    fill(r);
    return write(fd, buffer, bytes) == (ssize_t)bytes;
}
/* Writes records and flushes until both have succeeded. */
static int commit(const struct record *batch, unsigned count, int may_repeat, int (*put)(const struct record *)) {
    for (int attempt = 0; attempt < kPatience; attempt++) {
        int good = 1;
        for (unsigned i = 0; i < count; i++)
            for (int again = 0; !put(&batch[i]); again++) {
                say("FAULT", batch[i].number);
                if (!may_repeat || again == kPatience) return 0;
            }
        good = fsync(fd) == 0;
        if (good) return 1;
        say("FAULT", batch[count - 1].number);
        if (!may_repeat) return 0;
    }
    return 0;
}
static int run(int raw) {
    struct record batch[kMaxBatch];
    for (;;) {
        unsigned count = 1 + (unsigned)(next_random() >> 40) % kMaxBatch;
        /* a batch of a file ends with its file, for only the open one is flushed */
        for (unsigned i = 0; i < count; i++) {
            batch[i] = next_record();
            if (!raw && batch[i].number % kRecordsPerFile == 0) count = i + 1;
        }
        if (!commit(batch, count, raw, raw ? put_raw : put_file)) return say("STOP", 0), 1;
        say("ACK", batch[count - 1].number);
    }
}
int main(int argc, char **argv) {
    if (argc != 6) return fprintf(stderr, "usage: guest_journal raw|file WHERE BYTES SEED WRITERS\n"), 2;
    int raw = !strcmp(argv[1], "raw"), writers = atoi(argv[5]);
    if (posix_memalign((void **)&buffer, 4096, kMaxBlocks * kBlock)) return 2;
    for (writer = 0; writer < writers - 1 && fork() > 0;) writer++;
    seed = strtoull(argv[4], 0, 0) * 16 + (unsigned)writer;
    random_state = seed * 0x9e3779b97f4a7c15ull + 1;
    area_blocks = raw ? strtoull(argv[3], 0, 0) / kBlock / (unsigned)writers : 1 << 20;
    if (raw) {
        /* odd seeds: every write is durable by itself (FUA), and the flush finds nothing to do */
        fd = open(argv[2], O_RDWR | O_DIRECT | (strtoull(argv[4], 0, 0) & 1 ? O_DSYNC : 0));
        if (fd < 0) return perror(argv[2]), 2;
    } else {
        char name[200];
        snprintf(name, sizeof name, "%s/%d", argv[2], writer);
        mkdir(name, 0755);
        folder = name;
        folder_fd = open(name, O_RDONLY);
        int parent = open(argv[2], O_RDONLY);
        if (folder_fd < 0 || parent < 0 || fsync(parent)) return perror(name), 2;
        return run(0);
    }
    return run(1);
}
