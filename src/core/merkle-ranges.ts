/**
 * Which ranges of leaves a proof is made of: arithmetic on positions, no hashes.
 *
 * A range is written [start, end). A tree over a range splits at the largest power of two below its
 * length.
 */

/** Leaves from position `start` up to, not including, `end`. */
export type Range = { readonly start: number; readonly end: number }

/**
 * The siblings on the way from the leaf at `index` up to the root of `tree`, lowest first: PATH of
 * RFC 9162 section 2.1.3.1.
 */
export function pathRanges(index: number, tree: Range): Range[] {
  if (tree.end - tree.start === 1) return []
  const { left, right } = split(tree)
  return index < left.end
    ? [...pathRanges(index, left), right]
    : [...pathRanges(index, right), left]
}

/**
 * What shows that `tree` begins with its first leaves up to position `size1`: SUBPROOF of RFC 9162
 * section 2.1.4.1.
 *
 * @param isKnown - whether the one who checks already has the root of those first leaves.
 */
export function subproofRanges(size1: number, tree: Range, isKnown: boolean): Range[] {
  if (size1 === tree.end) return isKnown ? [] : [tree]
  const { left, right } = split(tree)
  return size1 <= left.end
    ? [...subproofRanges(size1, left, isKnown), right]
    : [...subproofRanges(size1, right, false), left]
}

/**
 * The whole subtrees that make [start, end), in order: each as large as its start and the end
 * allow. They are what a `Frontier` of size `start` takes to reach `end`.
 */
export function wholeSubtrees(start: number, end: number): Range[] {
  const ranges: Range[] = []
  for (let at = start; at < end; ) {
    let leaves = 1
    while (at % (2 * leaves) === 0 && at + 2 * leaves <= end) leaves *= 2
    ranges.push({ start: at, end: at + leaves })
    at += leaves
  }
  return ranges
}

function split({ start, end }: Range): { left: Range; right: Range } {
  let leaves = 1
  while (2 * leaves < end - start) leaves *= 2
  return { left: { start, end: start + leaves }, right: { start: start + leaves, end } }
}
