// Package diagram draws what a run did as a space-time diagram: one lane for each
// node and client, time downwards and, unless it is folded, to scale, and every
// message as an arrow from where and when it left to where and when it was handled.
// It writes plain SVG that needs no script, no font and no other file, and reads well
// on light and dark pages.
//
// What is drawn comes from the trace of package sim alone. The trace says when a
// message was handled and which event sent it; that event's time is when the
// message left, so a message that waited for its sender's disk leaves late, as it
// did in the run.
//
// [Export] writes a trace for other tools: text, JSON lines, Perfetto, ShiViz and
// Mermaid.
//
// Positions are whole tenths of a pixel, and no floating-point number is involved:
// equal traces and options give equal bytes, on any machine.
package diagram
