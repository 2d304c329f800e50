// Package browser tests lockstep's pages in a real browser. It is a module of its own,
// so that nothing else depends on what drives the browser.
package browser
