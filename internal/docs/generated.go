package docs

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/lockstep-sim/lockstep/protocols"
)

// File is a file that is generated, or has generated parts.
type File struct {
	Name    string // below the root of the repository, with slashes
	Content []byte
}

// Generated returns every document with generated parts as it should be, and the
// diagrams of every protocol of the list. Errors say which document or diagram is
// missing or cannot be made.
func Generated(root string, list []*protocols.Protocol) ([]File, error) {
	documents := []string{"docs/scenarios.md"}
	for _, p := range list {
		documents = append(documents, "docs/protocols/"+p.Name+".md")
	}
	var made []File
	for _, name := range documents {
		text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
		if err != nil {
			return nil, fmt.Errorf("every protocol needs a page: %w", err)
		}
		content, err := Reference(string(text), list)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		made = append(made, File{name, []byte(content)})
	}
	for _, p := range list {
		for _, s := range stories() {
			picture, err := s.draw(p)
			if err != nil {
				return nil, err
			}
			made = append(made, File{"docs/protocols/" + p.Name + "-" + s.name + ".svg", picture})
		}
	}
	return made, nil
}
