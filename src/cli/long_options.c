#include "cli/long_options.h"

#include <string.h>

const struct option long_options[] = {
	{"socket", required_argument, NULL, 'S'},
	{"json", no_argument, NULL, 'j'},
	{"pretty", no_argument, NULL, 'p'},
	{"statistics", no_argument, NULL, 's'},
	{"details", no_argument, NULL, 'd'},
	{"table", no_argument, NULL, 't'},
	{"brief", no_argument, NULL, OPTION_BRIEF},
	{"oneline", no_argument, NULL, 'o'},
	{"color", optional_argument, NULL, 'c'},
	{"columns", required_argument, NULL, OPTION_COLUMNS},
	{"count", required_argument, NULL, 'n'},
	{"interval", required_argument, NULL, 'i'},
	{"batch", required_argument, NULL, OPTION_BATCH},
	{"ip", no_argument, NULL, OPTION_IP},
	{"networkd", optional_argument, NULL, OPTION_NETWORKD},
	{"vyos", no_argument, NULL, OPTION_VYOS},
	{"from", required_argument, NULL, OPTION_FROM},
	{"force", no_argument, NULL, OPTION_FORCE},
	{"comment", required_argument, NULL, 'm'},
	{"version", no_argument, NULL, 'V'},
	{"help", no_argument, NULL, 'h'},
	{"replace", no_argument, NULL, OPTION_REPLACE},
	{"check", no_argument, NULL, OPTION_CHECK},
	{"plugin", no_argument, NULL, OPTION_PLUGIN},
	{"prometheus", no_argument, NULL, OPTION_PROMETHEUS},
	{"confirm", required_argument, NULL, OPTION_CONFIRM},
	{NULL, 0, NULL, 0},
};

bool option_takes_value(const char *word)
{
	bool is_long = word[1] == '-' || word[2];

	for (const struct option *at = long_options; at->name; at++)
		if (at->has_arg == required_argument &&
		    (is_long ? !strcmp(word + 1 + (word[1] == '-'), at->name) : word[1] == at->val))
			return true;
	return false;
}
