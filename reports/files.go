package reports

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"runtime"
	"strings"
)

// Folder is an output folder. Files are written under it and nowhere else, not
// even through symbolic links, and each appears whole or not at all.
type Folder struct {
	dir  string
	root *os.Root
}

// OpenFolder opens dir, makes it where it does not exist, and tries out that a
// file can be written there, so that a long campaign fails at its start and not
// at its end.
func OpenFolder(dir string) (*Folder, error) {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, fmt.Errorf("output folder %s: cannot make it: %w", Clean(dir), rootCause(err))
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("output folder %s: cannot open it: %w", Clean(dir), rootCause(err))
	}
	f := &Folder{dir: dir, root: root}
	trial := temporaryName("trial")
	file, err := root.OpenFile(trial, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o666)
	if err != nil {
		root.Close()
		return nil, fmt.Errorf("output folder %s: cannot write there: %w", Clean(dir), rootCause(err))
	}
	if err := errors.Join(file.Close(), root.Remove(trial)); err != nil {
		root.Close()
		return nil, fmt.Errorf("output folder %s: cannot write there: %w", Clean(dir), rootCause(err))
	}
	return f, nil
}

// Close releases the folder.
func (f *Folder) Close() error { return f.root.Close() }

// Write puts what write produces at name, a path with slashes relative to the
// folder; see [Batch].
func (f *Folder) Write(name string, write func(io.Writer) error) error {
	b := f.Batch()
	if err := b.Write(name, write); err != nil {
		return err
	}
	return b.Commit()
}

// WriteBytes is Write for what is already in memory.
func (f *Folder) WriteBytes(name string, data []byte) error {
	return f.Write(name, bytesTo(data))
}

func bytesTo(data []byte) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	}
}

// Batch is a change of several files of a folder. Their bytes go to temporary
// files beside them and are flushed to the disk; Commit renames those. A disk that
// runs full before that leaves everything as it was, and no file is ever seen in
// part.
type Batch struct {
	folder  *Folder
	names   []string
	removed []string
}

// Batch begins a change.
func (f *Folder) Batch() *Batch { return &Batch{folder: f} }

// Write stages one file. After an error the batch is over and has changed nothing.
func (b *Batch) Write(name string, write func(io.Writer) error) error {
	if err := b.stage(name, write); err != nil {
		b.Abort()
		return fmt.Errorf("writing %s in %s: %w", name, Clean(b.folder.dir), rootCause(err))
	}
	return nil
}

// Remove stages that a file goes away, if it is there.
func (b *Batch) Remove(name string) { b.removed = append(b.removed, name) }

func (b *Batch) stage(name string, write func(io.Writer) error) error {
	root := b.folder.root
	if err := root.MkdirAll(path.Dir(name), 0o777); err != nil {
		return err
	}
	b.names = append(b.names, name)
	file, err := root.OpenFile(temporaryName(name), os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o666)
	if err != nil {
		return err
	}
	if err := write(file); err != nil {
		file.Close()
		return err
	}
	if err := file.Sync(); err != nil {
		file.Close()
		return err
	}
	return file.Close()
}

// Abort drops what was staged. After Commit it does nothing.
func (b *Batch) Abort() {
	for _, name := range b.names {
		b.folder.root.Remove(temporaryName(name)) // best effort: it may not be there
	}
	b.names, b.removed = nil, nil
}

// Commit puts all staged files into place, in the order in which they were
// written.
func (b *Batch) Commit() error {
	defer b.Abort()
	root := b.folder.root
	for _, name := range b.names {
		if err := root.Rename(temporaryName(name), name); err != nil {
			return fmt.Errorf("writing %s in %s: %w", name, Clean(b.folder.dir), rootCause(err))
		}
	}
	for _, name := range b.removed {
		if err := root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("removing %s in %s: %w", name, Clean(b.folder.dir), rootCause(err))
		}
	}
	if len(b.names) == 0 {
		return nil
	}
	if err := b.folder.syncFolder(path.Dir(b.names[0])); err != nil {
		return fmt.Errorf("flushing %s: %w", Clean(b.folder.dir), rootCause(err))
	}
	return nil
}

// syncFolder makes renames survive a power cut. Windows has no such call.
func (f *Folder) syncFolder(folder string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := f.root.Open(folder)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// temporaryName is a hidden file beside name. It holds the process id, so that two
// commands that write to one folder do not write to one file.
func temporaryName(name string) string {
	folder, base := path.Split(name)
	return fmt.Sprintf("%s.%s.%d.tmp", folder, base, os.Getpid())
}

// rootCause drops the names of system calls and temporary files, which say
// nothing to a reader.
func rootCause(err error) error {
	var p *os.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	var l *os.LinkError
	if errors.As(err, &l) {
		return l.Err
	}
	return err
}

// PathName makes one element of a path from a name: what is not a letter, a
// digit, a dot, a dash or an underscore becomes a dash.
func PathName(name string) string {
	safe := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '.', r == '-', r == '_':
			return r
		}
		return '-'
	}, name)
	if strings.Trim(safe, ".") == "" {
		return "-" + safe
	}
	return safe
}

// Clean replaces control characters, which could move a terminal's cursor or
// change its colours, by spaces. All that comes from a file, a flag or a protocol
// goes through it before it is printed.
func Clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 || r == '\uFFFD' || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
			return ' '
		}
		return r
	}, s)
}

// CleanLines is Clean for text of several lines: line feeds stay.
func CleanLines(s string) string {
	lines := strings.Split(s, "\n")
	for i, l := range lines {
		lines[i] = Clean(l)
	}
	return strings.Join(lines, "\n")
}

// StickyWriter writes to W until that fails, and keeps the first error for whoever
// asks later.
type StickyWriter struct {
	W   io.Writer
	Err error
}

// Write writes p, or returns the earlier error.
func (s *StickyWriter) Write(p []byte) (int, error) {
	if s.Err != nil {
		return 0, s.Err
	}
	n, err := s.W.Write(p)
	s.Err = err
	return n, err
}
