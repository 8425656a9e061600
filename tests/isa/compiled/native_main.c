/* Prints what run() of a program leaves in its results, one hexadecimal number a line. */
#include <stdio.h>
#include "program.h"

u64 results[RESULTS];

int main(void) {
  run(results);
  for (int i = 0; i < RESULTS; i++) printf("%llx\n", results[i]);
  return 0;
}
