#include "cli/cli.h"
#include "base/standard_files.h"
#include "base/wipe.h"

int main(int argc, char *argv[])
{
	standard_files_occupy();
	wipe_forbid_dumps();
	return cli_main(argc, argv);
}
