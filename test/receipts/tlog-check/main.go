// A second implementation's look at a record: Go's own sumdb/tlog and sumdb/note verify what trade-agent has written.
//
//	tlog-check FOLDER
//
// The folder has `key` (a verifier key), `checkpoint` and `older` (signed notes), `lines` (one a line), `tile/` (as in
// C2SP tlog-tiles) and `proofs.json`. Prints `holds`, or what does not.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type proofs struct {
	Inclusion []struct {
		Leaf  int64
		Proof []tlog.Hash
	}
	Consistency []tlog.Hash
}

type folder string

func (f folder) Height() int { return 8 }

func (f folder) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, tile := range tiles {
		path := strings.Replace(tile.Path(), "tile/8/", "tile/", 1)
		data, err := os.ReadFile(filepath.Join(string(f), path))
		if err != nil {
			return nil, err
		}
		all = append(all, data)
	}
	return all, nil
}

func (f folder) SaveTiles([]tlog.Tile, [][]byte) {}

func must[T any](value T, err error) T {
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	return value
}

func need(holds bool, what string) {
	if !holds {
		must(0, fmt.Errorf("%s", what))
	}
}

func (f folder) read(name string) []byte { return must(os.ReadFile(filepath.Join(string(f), name))) }

func (f folder) tree(name string, verifier note.Verifier) tlog.Tree {
	signed := must(note.Open(f.read(name), note.VerifierList(verifier)))
	lines := strings.Split(signed.Text, "\n")
	need(lines[0] == verifier.Name(), "origin")
	size := must(strconv.ParseInt(lines[1], 10, 64))
	return tlog.Tree{N: size, Hash: must(tlog.ParseHash(lines[2]))}
}

func main() {
	f := folder(os.Args[1])
	verifier := must(note.NewVerifier(strings.TrimSpace(string(f.read("key")))))
	tree, older := f.tree("checkpoint", verifier), f.tree("older", verifier)
	reader := tlog.TileHashReader(tree, f)
	need(must(tlog.TreeHash(tree.N, reader)) == tree.Hash, "root")
	need(must(tlog.TreeHash(older.N, reader)) == older.Hash, "older root")
	lines := bytes.Split(bytes.TrimSuffix(f.read("lines"), []byte("\n")), []byte("\n"))
	need(int64(len(lines)) == tree.N, "number of lines")
	indexes := make([]int64, len(lines))
	for leaf := range lines {
		indexes[leaf] = tlog.StoredHashIndex(0, int64(leaf))
	}
	hashes := must(reader.ReadHashes(indexes))
	for leaf, line := range lines {
		need(hashes[leaf] == tlog.RecordHash(line), fmt.Sprintf("line %d", leaf))
	}
	var given proofs
	must(0, json.Unmarshal(f.read("proofs.json"), &given))
	for _, one := range given.Inclusion {
		must(0, tlog.CheckRecord(one.Proof, tree.N, tree.Hash, one.Leaf, tlog.RecordHash(lines[one.Leaf])))
	}
	must(0, tlog.CheckTree(given.Consistency, tree.N, tree.Hash, older.N, older.Hash))
	fmt.Println("holds")
}
