# Shared by run and full: steps with their seconds, the packages that they act
# on, and the comparison of digests. To be sourced from the repository's root.

export LC_ALL=C

scratch=$(mktemp -d)
current='' began=0 rows=() passed=0

# report prints the summary, whatever ended the script.
report() {
	local code=$?
	rm -rf "$scratch"
	if [[ -n $current ]]; then
		rows+=("$(printf 'FAILED  %6ss  %s' "$(seconds "$began")" "$current")")
	fi
	printf '\n== summary\n'
	printf '%s\n' "${rows[@]}"
	printf 'total   %6ss\n' "$(seconds "$started")"
	if [[ -n $current ]]; then
		printf '\n%d passed, 1 failed\n' "$passed"
		exit $((code == 0 ? 1 : code))
	fi
	printf '\n%d passed, 0 failed\n' "$passed"
}
trap report EXIT

now() { local t=$EPOCHREALTIME; printf '%s' $((${t/[.,]/} / 1000)); }
seconds() { local ms=$(($(now) - $1)); printf '%d.%d' $((ms / 1000)) $((ms % 1000 / 100)); }
started=$(now)

# step NAME COMMAND… runs one step and prints its seconds. It is called plainly,
# never in a condition, so that set -e holds inside.
step() {
	current=$1 began=$(now)
	printf '\n== %s\n' "$current"
	"${@:2}"
	local row
	row=$(printf 'ok      %6ss  %s' "$(seconds "$began")" "$current")
	printf '%s\n' "$row"
	rows+=("$row")
	passed=$((passed + 1))
	current=''
}

# go_files lists the Go files of the repository, those not yet committed included.
go_files() { git ls-files --cached --others --exclude-standard '*.go'; }

# concurrent lists the packages of the main module whose own code starts
# goroutines: there, and nowhere else, the race detector has something to find.
concurrent() {
	go_files | grep -v -e _test.go -e /testdata/ -e '^examples/' |
		xargs grep -lE '^[[:space:]]*go [[:alnum:]_.]+[({]|^[[:space:]]*go func' | xargs -n 1 dirname | sort -u | sed 's|^|./|'
}

# nested lists the folders of the modules below this one, but for the pinned tools.
nested() { find . -mindepth 2 -name go.mod -not -path '*/testdata/*' -not -path './.ci/*' -printf '%h\n' | sort; }

# fuzz TIME runs every fuzz target of the module for that long. Inputs that reach
# new code are made smaller in a few tries only: by default Go spends up to a
# minute on each, and a short run does nothing else.
fuzz() {
	local package target found=0
	while read -r package target; do
		found=$((found + 1))
		printf -- '-- %s %s\n' "$package" "$target"
		if ! go test -run '^$' -fuzz "^$target\$" -fuzztime "$1" -fuzzminimizetime 20x "$package" >"$scratch/fuzz" 2>&1; then
			cat "$scratch/fuzz"
			only_out_of_time "$scratch/fuzz"
			echo 'the time was up before a worker had stopped; no input failed'
			continue
		fi
		cat "$scratch/fuzz"
	done < <(fuzz_targets)
	if ((found == 0)); then
		echo 'no fuzz target was found' >&2
		return 1
	fi
}

# only_out_of_time LOG tells Go's own race at the end of -fuzztime (go.dev/issue/75804,
# mended in Go 1.27) from a finding. The race says "context deadline exceeded" alone; an
# input that fails, panics or hangs is always written to testdata and named.
only_out_of_time() {
	grep -qx '    context deadline exceeded' "$1" && ! grep -qiE 'failing input|panic|hung or terminated|_test\.go:' "$1"
}

# fuzz_targets prints package and target, one pair a line.
fuzz_targets() {
	local file
	go_files | grep '_test\.go$' | grep -v -e /testdata/ -e '^examples/' | xargs grep -lE '^func Fuzz[[:alnum:]_]*\(' | sort | while read -r file; do
		sed -nE "s|^func (Fuzz[[:alnum:]_]*)\(.*|./$(dirname "$file") \1|p" "$file"
	done
}

# same NAME COMMAND… keeps the output of the first call, and demands that every
# later one prints the same bytes. COMMAND does not run under set -e.
same() {
	local name=$1 code=0
	"${@:2}" >"$scratch/output" || code=$?
	if ((code != 0)); then
		printf '%s: exit code %d\n' "$name" "$code" >&2
		return 1
	fi
	if [[ ! -f $scratch/expected ]]; then
		mv "$scratch/output" "$scratch/expected"
		printf '%s: %s lines, %s\n' "$name" "$(wc -l <"$scratch/expected")" "$(sha256sum <"$scratch/expected" | cut -c 1-16)"
	elif cmp "$scratch/expected" "$scratch/output"; then
		printf '%s: the same\n' "$name"
	else
		printf '%s: differs; first lines that do:\n' "$name" >&2
		diff "$scratch/expected" "$scratch/output" | cut -c 1-400 | head -n 4 >&2 || true
		return 1
	fi
}

# state is a digest of what git sees of the tree.
state() { git status --porcelain && git diff | sha256sum; }
