#!/bin/sh
# Every document of tests/data/yang through yanglint: a valid-* one must be
# accepted, an invalid-* one refused, and for the reason that its first line
# names. To add a case, add a file. The word after the first dash says what it
# is: state, notif, rpc; anything else is configuration.
set -u

top=$(cd "$(dirname "$0")/../.." && pwd)
module=$top/yang/linux-l2tpv3@2026-11-22.yang
imports=/usr/share/yuma/modules/ietf
samples=$top/tests/data/yang

skip_all() {
	echo "SKIP yang samples: $*"
	echo "0 passed, 0 failed, $(find "$samples" -name '*.xml' | wc -l) skipped"
	exit 0
}

command -v yanglint >/dev/null || skip_all "yanglint is not installed (Debian: libyang2-tools)"
[ -f "$imports/ietf-netconf-acm@2018-02-14.yang" ] ||
	skip_all "ietf-netconf-acm is not installed (Debian: libyuma-base)"

type_of() {
	case ${1#*valid-} in
	state*) echo data ;;
	notif-*) echo notif ;;
	rpc-*) echo rpc ;;
	*) echo config ;;
	esac
}

# Print why $1 is not as its name says, or nothing.
complaint() {
	said=$(yanglint -p "$imports" -t "$(type_of "$2")" "$module" "$1" 2>&1)
	status=$?
	case $2 in
	valid-*) [ $status = 0 ] || echo "refused: $said" ;;
	invalid-*)
		why=$(sed -n '1s/^<!-- refused: \(.*\) -->$/\1/p' "$1")
		if [ -z "$why" ]; then
			echo "no reason in its first line"
		elif [ $status = 0 ]; then
			echo "accepted"
		else
			case $said in *"$why"*) ;; *) echo "refused, but not for '$why': $said" ;; esac
		fi
		;;
	*) echo "neither valid-* nor invalid-*" ;;
	esac
}

passed=0 failed=0
if said=$(yanglint -p "$imports" "$module" 2>&1) && [ -z "$said" ]; then
	echo "ok   ${module##*/}"
	passed=1
else
	echo "FAIL ${module##*/}: $said"
	failed=1
fi
for file in "$samples"/*.xml; do
	name=${file##*/}
	wrong=$(complaint "$file" "$name")
	if [ -z "$wrong" ]; then
		echo "ok   $name"
		passed=$((passed + 1))
	else
		echo "FAIL $name: $wrong"
		failed=$((failed + 1))
	fi
done
echo "$passed passed, $failed failed, 0 skipped"
[ $failed = 0 ]
