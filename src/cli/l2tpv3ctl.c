#include "cli/cli.h"
#include "base/standard_files.h"

int main(int argc, char *argv[])
{
	standard_files_occupy();
	return cli_main(argc, argv);
}
