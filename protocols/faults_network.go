package protocols

// More kinds of fault of the network. To a protocol they are loss, delay,
// duplication and reordering: whoever survives those survives these.
const (
	FaultClog           FaultKind = "clog"            // links hold everything back until the end
	FaultSwizzleClog    FaultKind = "swizzle-clog"    // nodes are clogged one by one, and freed in another order
	FaultBandwidth      FaultKind = "bandwidth"       // links carry so many bytes a second
	FaultReplay         FaultKind = "replay"          // old messages arrive once more
	FaultCorruptMessage FaultKind = "corrupt-message" // messages damaged; a checksum catches it
)
