// Package platform has one more file on some machines.
package platform
