/* SPDX-License-Identifier: ISC
 *
 * csvloop FILE: libcsv's bare loop, strict, counting cells: the floor under every reader of ours.
 */
#include <csv.h>
#include <stdio.h>

static void on_cell(void *text, size_t size, void *n_cells)
{
	(void)text;
	(void)size;
	++*(unsigned long *)n_cells;
}

static void on_row(int c, void *data)
{
	(void)c;
	(void)data;
}

int main(int argc, char **argv)
{
	static char buffer[1 << 20];
	unsigned long n_cells = 0;
	struct csv_parser parser;
	size_t n;
	FILE *file = argc == 2 ? fopen(argv[1], "rb") : NULL;

	if (file == NULL || csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI) != 0)
		return 2;
	while ((n = fread(buffer, 1, sizeof buffer, file)) > 0)
		if (csv_parse(&parser, buffer, n, on_cell, on_row, &n_cells) != n)
			return 1;
	if (csv_fini(&parser, on_cell, on_row, &n_cells) != 0)
		return 1;
	printf("%lu cells\n", n_cells);
	return 0;
}
