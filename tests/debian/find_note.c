/* Does what the runtime in a binary does when it starts: looks in its own memory for the note in which
 * the program is. Writes what is in it to standard output. */
#define _GNU_SOURCE
#include <link.h>
#include <stdio.h>
#include <string.h>

/* Memory that is not in the file. */
static char beyond[300000];

static int look(struct dl_phdr_info *info, size_t size, void *data) {
  (void)size;
  (void)data;
  for (int i = 0; i < info->dlpi_phnum; i++) {
    const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
    if (segment->p_type != PT_NOTE) continue;
    const char *at = (const char *)(info->dlpi_addr + segment->p_vaddr);
    const char *end = at + segment->p_memsz;
    while (at < end) {
      const ElfW(Nhdr) *note = (const void *)at;
      const char *name = at + sizeof *note;
      const char *content = name + ((note->n_namesz + 3) & ~3u);
      if (note->n_type == 0x53554901 && note->n_namesz == 4 && memcmp(name, "SUI", 4) == 0) {
        unsigned short length;
        memcpy(&length, content, 2);
        fwrite(content + 2 + length, 1, note->n_descsz - 2 - length, stdout);
        return 1;
      }
      at = content + ((note->n_descsz + 3) & ~3u);
    }
  }
  return 0;
}

/* In the file, as the version is in the runtime. */
const char version[] = "Deno/" VERSION;

int main(int count, char **words) {
  (void)words;
  beyond[count] = version[0];
  return dl_iterate_phdr(look, 0) == 1 ? 0 : 5;
}
