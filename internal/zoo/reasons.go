package main

// reasons say what a bug needs that drawn plans seldom or never have, where a look at
// its script and at the plans has shown it. They are printed for bugs that no run found.
var reasons = map[string]string{
	"R-16":  "needs a candidate two terms ahead whose log is short, a voter who never heard of it with a longer one, and the third node gone for good",
	"R-22":  "needs the slow clock at the leader and a fast one at a voter, and an election in the few milliseconds between the two ends of the lease",
	"R-23":  noTransfer,
	"R-25":  "needs a voter that is down for less than the lease that it has promised; most drawn crashes last longer",
	"R-26":  noMembers + ", and two leaders that change it before their first entry is committed",
	"R-28":  noMembers + ", whose entry is truncated at a node that goes on",
	"R-30":  noMembers,
	"R-31":  noMembers,
	"R-32":  noMembers,
	"R-33":  noMembers,
	"R-34":  noMembers,
	"R-35":  noMembers + ", and an answer that stays on its way while its sender loses its disk, is removed and comes back",
	"R-38":  noMembers,
	"P-12b": "needs an acceptor that is down for less than the lease that it has promised; most drawn crashes last longer",
	"P-12c": "needs the slow clock at the leader and a fast one at an acceptor, and an election in the few milliseconds between the two ends of the lease",
	"P-14":  noMembers,
	"P-29":  noMembers,
	"P-30":  noMembers,
	"V-04":  "the variant diskless claims to survive no crash, so that plans within its model crash nobody",
	"V-14":  noMembers,
	"V-15":  noMembers,
}

const (
	noMembers  = "needs a change of members"
	noTransfer = "needs a leadership transfer"
)
