package reports

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func openTemporary(t *testing.T) (*Folder, string) {
	t.Helper()
	dir := t.TempDir()
	f, err := OpenFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f, dir
}

func namesIn(t *testing.T, dir string) string {
	t.Helper()
	var names []string
	err := filepath.WalkDir(dir, func(p string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			rel, _ := filepath.Rel(dir, p)
			names = append(names, filepath.ToSlash(rel))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(names, " ")
}

func TestWriteReplacesWholeFiles(t *testing.T) {
	f, dir := openTemporary(t)
	for _, text := range []string{"first, and long", "second"} {
		if err := f.WriteBytes("a/b/result.json", []byte(text)); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(filepath.Join(dir, "a", "b", "result.json")); err != nil || string(got) != text {
			t.Errorf("read %q, %v; want %q", got, err, text)
		}
	}
	if got := namesIn(t, dir); got != "a/b/result.json" {
		t.Errorf("folder holds %s", got)
	}
}

// A write that fails in the middle, as on a full disk, loses nothing that was
// there and leaves no rest.
func TestFailedWriteLosesNothing(t *testing.T) {
	f, dir := openTemporary(t)
	if err := f.WriteBytes("result.json", []byte("old")); err != nil {
		t.Fatal(err)
	}
	full := errors.New("no space left on device")
	for _, name := range []string{"result.json", "new.json"} {
		err := f.Write(name, func(w io.Writer) error {
			if _, err := w.Write([]byte("half of it")); err != nil {
				return err
			}
			return full
		})
		if !errors.Is(err, full) || !strings.Contains(err.Error(), name) {
			t.Errorf("error %v, want one that names %s and wraps the cause", err, name)
		}
	}
	if got, _ := os.ReadFile(filepath.Join(dir, "result.json")); string(got) != "old" {
		t.Errorf("result.json holds %q, want what was there", got)
	}
	if got := namesIn(t, dir); got != "result.json" {
		t.Errorf("folder holds %s, want result.json alone", got)
	}
}

// A batch changes all of its files or none.
func TestBatchIsAllOrNothing(t *testing.T) {
	f, dir := openTemporary(t)
	for _, name := range []string{"run/result.json", "run/trace.txt"} {
		if err := f.WriteBytes(name, []byte("old")); err != nil {
			t.Fatal(err)
		}
	}
	b := f.Batch()
	if err := b.Write("run/result.json", bytesTo([]byte("new"))); err != nil {
		t.Fatal(err)
	}
	b.Remove("run/trace.txt")
	full := errors.New("no space left on device")
	if err := b.Write("run/history.jsonl", func(io.Writer) error { return full }); !errors.Is(err, full) {
		t.Fatalf("error %v", err)
	}
	if got, _ := os.ReadFile(filepath.Join(dir, "run", "result.json")); string(got) != "old" {
		t.Errorf("after a failed batch result.json holds %q", got)
	}
	if got := namesIn(t, dir); got != "run/result.json run/trace.txt" {
		t.Errorf("after a failed batch the folder holds %s", got)
	}
	b = f.Batch()
	if err := b.Write("run/result.json", bytesTo([]byte("new"))); err != nil {
		t.Fatal(err)
	}
	b.Remove("run/trace.txt")
	b.Remove("run/never-there.txt")
	if err := b.Commit(); err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(filepath.Join(dir, "run", "result.json")); string(got) != "new" {
		t.Errorf("after Commit result.json holds %q", got)
	}
	if got := namesIn(t, dir); got != "run/result.json" {
		t.Errorf("after Commit the folder holds %s", got)
	}
}

func TestFolderCannotBeLeft(t *testing.T) {
	f, dir := openTemporary(t)
	outside := t.TempDir()
	if err := f.WriteBytes("../escaped", nil); err == nil {
		t.Error("wrote above the folder")
	}
	if runtime.GOOS == "windows" {
		return // symbolic links need a privilege there
	}
	if err := os.Symlink(outside, filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	if err := f.WriteBytes("link/file", []byte("x")); err == nil {
		t.Error("wrote through a symbolic link that leaves the folder")
	}
	if got := namesIn(t, outside); got != "" {
		t.Errorf("outside holds %s", got)
	}
}

func TestUnusableFolders(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{file, filepath.Join(file, "below")} {
		f, err := OpenFolder(dir)
		if err == nil {
			f.Close()
			t.Errorf("OpenFolder(%s) succeeded", dir)
		} else if !strings.Contains(err.Error(), "output folder "+dir) {
			t.Errorf("error %q does not name the folder", err)
		}
	}
}

func TestPathNameAndClean(t *testing.T) {
	for in, want := range map[string]string{"raft": "raft", "a/b": "a-b", `..\x`: "..-x", "..": "-..", "": "-", "ü x": "--x"} {
		if got := PathName(in); got != want {
			t.Errorf("PathName(%q) = %q, want %q", in, got, want)
		}
	}
	for in, want := range map[string]string{"plain → text": "plain → text", "\x1b[31mred\x1b[0m": " [31mred [0m", "a\nb\tc": "a b c", "x\u202ey\u009b": "x y "} {
		if got := Clean(in); got != want {
			t.Errorf("Clean(%q) = %q, want %q", in, got, want)
		}
	}
	if got := CleanLines("a\x07\nb"); got != "a \nb" {
		t.Errorf("CleanLines = %q", got)
	}
}
