/* A quick sort through a comparison function, and a heap of structures. */
#include "program.h"

struct item {
  u32 key;
  short weight;
  char tag;
  double value;
};

static int by_key(const struct item* a, const struct item* b) { return a->key < b->key ? -1 : a->key > b->key; }
static int by_value(const struct item* a, const struct item* b) { return a->value < b->value ? -1 : a->value > b->value; }

static void sort(struct item* first, i64 count, int (*order)(const struct item*, const struct item*)) {
  if (count < 2) return;
  const struct item pivot = first[count / 2];
  i64 i = 0, j = count - 1;
  while (i <= j) {
    while (order(&first[i], &pivot) < 0) i++;
    while (order(&first[j], &pivot) > 0) j--;
    if (i > j) break;
    const struct item t = first[i];
    first[i++] = first[j];
    first[j--] = t;
  }
  sort(first, j + 1, order);
  sort(first + i, count - i, order);
}

static struct item items[200];

void run(u64* out) {
  u64 state = 42;
  for (int i = 0; i < 200; i++) {
    const u64 r = next_random(&state);
    items[i] = (struct item){(u32)r, (short)(r >> 32), (char)(r >> 48), (double)(i64)(r * 7)};
  }
  sort(items, 200, by_key);
  for (int i = 0; i < 30; i++) out[i] = (u64)items[i * 6].key << 32 | (unsigned short)items[i * 6].weight;
  sort(items, 200, by_value);
  for (int i = 0; i < 30; i++) out[30 + i] = bits_of(items[i * 6].value) ^ (unsigned char)items[i * 6].tag;
}
