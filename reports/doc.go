// Package reports says what runs came to, for people and for programs: text and
// tables for a terminal ([WriteRun], [Campaign], [Comparison], [Lists]), JSON
// ([WriteLine], [WriteResult]), files in an output folder ([RunFolder]), plots
// ([LatencyCDF], [Availability], [HeatMap], …) and pages ([WritePage]).
//
// Equal results give equal bytes: nothing here reads a clock, names a host or
// depends on the order in which runs end. Whatever comes from a file, a flag or a
// protocol is cleaned of control characters before it is printed ([Clean]).
package reports
