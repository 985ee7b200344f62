// Package store keeps a tree of files in a folder that only its user can write, and makes sure that the
// tree is exactly the one that the program was built with.
//
// A [Bundle] names the tree by the digest of its contents. [Bundle.Open] returns the folder if its contents
// have that digest, and otherwise unpacks the tree anew: into a staging folder beside it, checked, then
// renamed into place, under a lock between processes. So half a tree is never seen, and whatever happened to
// the folder (killed while unpacking, truncated, edited, a file too many or too few, wrong permissions) ends
// in the same repair.
//
// Hashing everything takes a quarter of a second. Therefore a manifest in the folder remembers size, times,
// inode and hash of every file, and a file whose stat has not changed keeps its hash. The digest over all
// hashes is compared with the program's in every case, so a manifest can save work but not vouch for other
// contents. Someone who can already write as this user can forge both; against that nothing here helps.
package store
