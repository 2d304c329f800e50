// Package imports uses what differs from process to process.
package imports

import (
	"context"      // want: import
	"hash/maphash" // want: import
	"log"          // want: import
	"math/rand/v2" // want: import
	"os"           // want: import
	"runtime"      // want: import
	"sync"         // want: import
	"sync/atomic"  // want: import
	"unsafe"       // want: import
)

import old "math/rand" // want: import

var (
	_ context.Context
	_ = rand.IntN
	_ = old.Intn
	_ maphash.Hash
	_ log.Logger
	_ os.File
	_ = runtime.NumCPU
	_ sync.Mutex
	_ atomic.Int64
	_ unsafe.Pointer
)
