/**
 * Checking proofs about the trail (RFC 9162 sections 2.1.3.2 and 2.1.4.2), by someone who holds
 * roots and no leaves.
 *
 * The rule: whatever is not exactly a proof of the claim is not a proof. Hashes of another length,
 * proofs too short or too long, positions out of range: all false, never an exception, because all
 * of it comes from the one who is being checked.
 */
import { emptyRoot, hashBytes, nodeHash } from './merkle.ts'

/**
 * That the leaf at position `index` (from 0) of the tree of `size` leaves with this root has this
 * hash.
 */
export type InclusionClaim = {
  index: number
  size: number
  leafHash: Uint8Array
  proof: readonly Uint8Array[]
  root: Uint8Array
}

/** That the tree of `size2` leaves begins with the very `size1` leaves of the earlier one. */
export type ConsistencyClaim = {
  size1: number
  size2: number
  root1: Uint8Array
  root2: Uint8Array
  proof: readonly Uint8Array[]
}

/** Whether the proof proves the claim. */
export function verifyInclusion(claim: InclusionClaim): boolean {
  const { index, size, leafHash, proof, root } = claim
  if (!isPosition(index) || !isPosition(size) || index >= size) return false
  if (![leafHash, root, ...proof].every(isHash)) return false
  let [at, last, folded] = [index, size - 1, leafHash]
  for (const sibling of proof) {
    if (last === 0) return false // The proof is longer than the tree is high.
    if (at % 2 === 1 || at === last) {
      folded = nodeHash(sibling, folded)
      // On the right edge, levels without a left sibling are passed over.
      while (at % 2 === 0 && at !== 0) [at, last] = [at / 2, half(last)]
    } else {
      folded = nodeHash(folded, sibling)
    }
    ;[at, last] = [half(at), half(last)]
  }
  return last === 0 && isSame(folded, root)
}

/**
 * Whether the proof proves the claim.
 *
 * Equal sizes need equal roots and no proof, and nothing is folded; the tree without leaves has one
 * root only. A claim about growth from no leaves at all would be true of any tree, so it is refused
 * as empty (RFC 9162 asks for 0 < size1).
 */
export function verifyConsistency(claim: ConsistencyClaim): boolean {
  const { size1, size2, root1, root2, proof } = claim
  if (!isPosition(size1) || !isPosition(size2) || size1 > size2) return false
  if (size1 === size2) {
    return proof.length === 0 && isSame(root1, root2) && (size1 > 0 || isSame(root1, emptyRoot))
  }
  if (size1 === 0 || ![root1, root2, ...proof].every(isHash)) return false
  let [at, last] = [size1 - 1, size2 - 1]
  while (at % 2 === 1) [at, last] = [half(at), half(last)]
  // When size1 is a power of two its root is itself the first subtree, and is not sent.
  const [first, ...siblings] = at === 0 ? [root1, ...proof] : proof
  if (first === undefined) return false
  let [folded1, folded2] = [first, first]
  for (const sibling of siblings) {
    if (last === 0) return false
    if (at % 2 === 1 || at === last) {
      folded1 = nodeHash(sibling, folded1)
      folded2 = nodeHash(sibling, folded2)
      while (at % 2 === 0 && at !== 0) [at, last] = [at / 2, half(last)]
    } else {
      folded2 = nodeHash(folded2, sibling)
    }
    ;[at, last] = [half(at), half(last)]
  }
  return last === 0 && isSame(folded1, root1) && isSame(folded2, root2)
}

function half(position: number): number {
  return Math.floor(position / 2)
}

function isPosition(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0
}

function isHash(bytes: Uint8Array): boolean {
  return bytes.length === hashBytes
}

/** Roots are public: nothing is learned from how long the comparison takes. */
function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0
}
