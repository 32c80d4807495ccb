/* Fuzz target: bytes as a binary snapshot. The index pass reads or refuses them; where it reads
 * them, all values are read back, the passes agree with windows of another size, and a host job
 * gives as many rows as there are samples. */
#define FUZZ_KIND CQ_CHECKPOINT_SNAPSHOT
#define FUZZ_NAME "1.bin"
#include "fuzz_checkpoint.h"
