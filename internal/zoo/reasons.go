package main

// reasons say what a bug needs that drawn plans seldom have, for those that no run found.
var reasons = map[string]string{
	"R-19": "needs answers that are on their way for longer than an election takes, and reach a leader that is cut off in the other direction while a read waits",
	"R-25": "needs a voter that is down for less than the lease that it has promised, and a candidate that has not heard the leader for as long",
	"R-26": "needs two leaders, one after the other, that change the members before their first entry is committed, to configurations with disjoint quorums",
	"P-28": "needs an Accepted that is on its way until its leader leads again, and has another value in that slot by then",
	"P-29": "needs a change of all who promised the lease within the lease",
	"V-01": "needs a second crash while responses to the recovery from the first are on their way, which lack what was committed in between",
	"V-04": "needs two crashes and recoveries with messages of the view change before them still on their way",
}
