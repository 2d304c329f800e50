package scenarios

import (
	"encoding/json"

	"github.com/lockstep-sim/lockstep/protocols"
)

// Schema returns the JSON Schema (2020-12) of the scenario language with the
// parameters of the protocols, for editors. It describes form, not meaning: what
// it accepts may still be refused by [Parse].
func Schema(list []*protocols.Protocol) []byte {
	s := scenarioMapping().schema(list)
	s["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	s["title"] = "lockstep scenario"
	b, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		panic("scenarios: the schema holds what JSON cannot: " + err.Error())
	}
	return append(b, '\n')
}
