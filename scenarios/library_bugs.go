package scenarios

import (
	"regexp"
	"slices"
	"strings"
)

// BugScripts names the shipped scripts that show known bugs, sorted. Each switches
// one bug on, says which check must see it, and breaks nothing with the bug off.
func BugScripts() []string { return namesIn("bugs") }

// switchedOn finds the one bug that a shipped script switches on.
var switchedOn = regexp.MustCompile(`(?m)^parameters:.*\bbugs: \[([A-Za-z0-9-]+)\]`)

// scriptOf maps the ids of known bugs, in lower case, to the scripts that show them.
var scriptOf = scriptsByBug()

func scriptsByBug() map[string]string {
	scripts := map[string]string{}
	for _, name := range BugScripts() {
		text, err := libraryFiles.ReadFile("bugs/" + name + ".yaml")
		if err != nil {
			panic("scenarios: an embedded script cannot be read: " + err.Error())
		}
		on := switchedOn.FindSubmatch(text)
		if on == nil {
			panic("scenarios: bugs/" + name + ".yaml switches no bug on")
		}
		id := strings.ToLower(string(on[1]))
		if other := scripts[id]; other != "" {
			panic("scenarios: bugs/" + name + ".yaml and bugs/" + other + ".yaml both show " + id)
		}
		scripts[id] = name
	}
	return scripts
}

// BugScript names the shipped script that shows a known bug: R-01, in small or
// capital letters. ok is false where there is none.
func BugScript(id string) (name string, ok bool) {
	name, ok = scriptOf[strings.ToLower(id)]
	return name, ok
}

// shippedName is the name of the shipped scenario that an argument means, which may
// be the id of a known bug; "": none.
func shippedName(arg string) string {
	if name, ok := BugScript(arg); ok {
		return name
	}
	if slices.Contains(Shipped(), arg) {
		return arg
	}
	return ""
}
