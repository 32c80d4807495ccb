/* Replays a corpus through a fuzz target without libFuzzer: each argument is a file or a folder of files; a folder that
 * does not exist is an empty corpus. Every target is also fed the empty input. Linked with one fuzz_<target>.c, which
 * defines LLVMFuzzerTestOneInput; the sanitizers do the judging. */
#define _GNU_SOURCE
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static unsigned n_inputs;

static int replay_file(const char *path, size_t n)
{
    FILE *f = fopen(path, "rb");
    /* Exactly n bytes, so that reading one too many is seen. */
    uint8_t *data = malloc(n ? n : 1);
    if (!f || !data || fread(data, 1, n, f) != n) {
        fprintf(stderr, "cannot read %s\n", path);
        exit(2);
    }
    fclose(f);
    fprintf(stderr, "%s\n", path); /* the last line before a crash names the input */
    int rc = LLVMFuzzerTestOneInput(data, n);
    free(data);
    n_inputs++;
    return rc;
}

static int replay(const char *path)
{
    struct stat st;
    if (stat(path, &st) != 0) return 0;
    if (!S_ISDIR(st.st_mode)) return replay_file(path, (size_t)st.st_size);

    struct dirent **names;
    int n = scandir(path, &names, NULL, alphasort), rc = 0;
    for (int i = 0; i < n; i++) {
        char inner[4096];
        if (names[i]->d_name[0] != '.' && snprintf(inner, sizeof inner, "%s/%s", path, names[i]->d_name) > 0)
            rc |= replay(inner);
        free(names[i]);
    }
    if (n >= 0) free(names);
    return rc;
}

int main(int argc, char **argv)
{
    uint8_t nothing = 0;
    int rc = LLVMFuzzerTestOneInput(&nothing, 0);
    for (int i = 1; i < argc; i++) rc |= replay(argv[i]);
    printf("%s: %u inputs replayed\n", argv[0], n_inputs);
    return rc ? 1 : 0;
}
