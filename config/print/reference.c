// SPDX-License-Identifier: MIT
#include "config/print/reference.h"

#include "config/print/emit.h"
#include "config/rows.h"
#include "config/value.h"

static const char head[] =
	".TH FFFA.YAML 5 \"\" \"fffa\" \"Configuration of fffa\"\n"
	".SH NAME\nfffa.yaml \\- configuration of fffa, the flow log agent\n"
	".SH SYNOPSIS\n.I /etc/fffa/fffa.yaml\n"
	".SH DESCRIPTION\nOne YAML document. Unknown and duplicate keys are errors.\n"
	"Durations are written 500ms, 10s, 5m, 1h; sizes 4096, 64KiB, 10MiB, 1GiB.\n"
	"${NAME} and ${NAME:\\-default} in a value are taken from the environment.\n"
	"The variable FFFA_CAPTURE_INTERFACES stands for the key capture.interfaces, and so on;\n"
	"it wins over the file.\n"
	"Beside a secret KEY, KEY_file names a file that holds it.\n"
	".PP\n.B fffa check\nnames every problem of a file.\n"
	".B fffa config \\-\\-defaults\nprints this reference as a file.\n"
	".SH OPTIONS\n";
static const char tail[] = ".SH FILES\n.I /etc/fffa/fffa.yaml\n.SH SEE ALSO\n.BR fffa (8)\n";

/* A line must not begin with a control character of man(7). */
static void put_text(FILE *out, const char *text)
{
	if (*text == '.' || *text == '\'')
		fputs("\\&", out);
	for (; *text; text++) {
		if (*text == '\\')
			fputs("\\e", out);
		else if (*text == '-')
			fputs("\\-", out);
		else
			fputc(*text, out);
	}
}

static void put_row(FILE *out, const struct fffa_option *o)
{
	char allowed[512];

	fputs(".TP\n.B ", out);
	put_text(out, o->key);
	fputc('\n', out);
	put_text(out, o->help);
	fputc('\n', out);
	fffa_value_allowed(o, allowed, sizeof(allowed));
	put_text(out, allowed);
	fputs("; default ", out);
	put_text(out, !o->def ? "none" : *o->def ? o->def : "\"\"");
	fputs(fffa_rows_need_restart(o) ? "; a change needs a restart.\n"
					: "; taken over by HUP.\n",
	      out);
}

static void put_rows(FILE *out, const struct fffa_option *rows)
{
	for (; rows->key; rows++)
		put_row(out, rows);
}

int fffa_reference_print(const struct fffa_sink_schema *schema, FILE *out)
{
	fputs(head, out);
	put_rows(out, fffa_config_rows);
	fputs(".SS \"Each sink (an item of sinks)\"\n", out);
	put_rows(out, fffa_sink_common_rows);
	for (; schema->name; schema++) {
		fprintf(out, ".SS \"A sink of type %s\"\n", schema->name);
		put_rows(out, schema->opts);
	}
	fputs(tail, out);
	return fffa_emit_end(out);
}
