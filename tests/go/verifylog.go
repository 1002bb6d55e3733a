// SPDX-License-Identifier: ISC

// verifylog: somebody else's opinion of an audit log: golang.org/x/mod/sumdb, which knows nothing of Clapet, opens the checkpoint,
// computes the tree from the tiles, proves each entry to be in it, and that it continues older checkpoints.
//
//	verifylog FOLDER VERIFIER-KEY [OLDER-CHECKPOINT…]
package main

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func fail(format string, args ...interface{}) {
	fmt.Printf("FAIL "+format+"\n", args...)
	os.Exit(1)
}

// open verifies the note and reads its text (C2SP tlog-checkpoint).
func open(path string, verifier note.Verifier) tlog.Tree {
	data, err := os.ReadFile(path)
	if err != nil {
		fail("%v", err)
	}
	opened, err := note.Open(data, note.VerifierList(verifier))
	if err != nil {
		fail("%s: %v", path, err)
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[0] != verifier.Name() {
		fail("%s: %d lines, origin %s", path, len(lines), lines[0])
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		fail("%s: %v", path, err)
	}
	root, err := tlog.ParseHash(lines[2])
	if err != nil {
		fail("%s: %v", path, err)
	}
	return tlog.Tree{N: size, Hash: root}
}

// tiles reads tlog-tiles, whose paths are Go's without the height.
type tiles struct{ folder string }

func (t tiles) Height() int { return 8 }

func (t tiles) ReadTiles(wanted []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, tile := range wanted {
		path := strings.Replace(tile.Path(), "tile/8/", "tile/", 1)
		data, err := os.ReadFile(filepath.Join(t.folder, path))
		if err != nil {
			return nil, err
		}
		all = append(all, data)
	}
	return all, nil
}

func (t tiles) SaveTiles([]tlog.Tile, [][]byte) {}

// entries reads the bundles of a tree of that size.
func entries(folder string, size int64) [][]byte {
	var all [][]byte
	for n := int64(0); n*256 < size; n++ {
		width := size - n*256
		if width > 256 {
			width = 256
		}
		tile := tlog.Tile{H: 8, L: -1, N: n, W: int(width)}
		path := strings.Replace(tile.Path(), "tile/8/data/", "tile/entries/", 1)
		data, err := os.ReadFile(filepath.Join(folder, path))
		if err != nil {
			fail("%v", err)
		}
		for i := int64(0); i < width; i++ {
			if len(data) < 2 || len(data) < 2+int(binary.BigEndian.Uint16(data)) {
				fail("%s: ends within entry %d", path, i)
			}
			length := int(binary.BigEndian.Uint16(data))
			all = append(all, data[2:2+length])
			data = data[2+length:]
		}
		if len(data) != 0 {
			fail("%s: %d bytes behind its entries", path, len(data))
		}
	}
	return all
}

func main() {
	folder := os.Args[1]
	verifier, err := note.NewVerifier(os.Args[2])
	if err != nil {
		fail("the key: %v", err)
	}
	tree := open(filepath.Join(folder, "checkpoint"), verifier)
	reader := tlog.TileHashReader(tree, tiles{folder})
	for i, entry := range entries(folder, tree.N) {
		proof, err := tlog.ProveRecord(tree.N, int64(i), reader)
		if err == nil {
			err = tlog.CheckRecord(proof, tree.N, tree.Hash, int64(i), tlog.RecordHash(entry))
		}
		if err != nil {
			fail("entry %d: %v", i, err)
		}
	}
	for _, path := range os.Args[3:] {
		old := open(path, verifier)
		proof, err := tlog.ProveTree(tree.N, old.N, reader)
		if err == nil {
			err = tlog.CheckTree(proof, tree.N, tree.Hash, old.N, old.Hash)
		}
		if err != nil {
			fail("%s: %v", path, err)
		}
	}
	fmt.Printf("ok %d entries, %d older checkpoints\n", tree.N, len(os.Args)-3)
}
