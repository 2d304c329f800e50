package main

// reasons say what a bug needs that drawn plans seldom have, for those that no run found.
var reasons = map[string]string{
	"R-26": "needs two leaders, one after the other, that change the members before their first entry is committed, to configurations with disjoint quorums",
}
