import { base64Of } from './base64.ts'
import { type HashesOf, ProofMaker } from './merkle-proof.ts'
import { trailLine } from './trail-lines.ts'

/** A leaf as it is kept. */
export type KeptLeaf = { number: number; entry: Uint8Array; leafHash: Uint8Array }

/** Where a trail comes from: whoever keeps the leaves and the signed checkpoints. */
export type TrailSource = {
  origin: string
  /** Keys that signed its checkpoints, `name+hash+key`. */
  verifierKeys: readonly string[]
  hashesOf: HashesOf
  /** The leaves at positions from `start` up to, not including, `end`; at most 1,000 at a time. */
  leavesOf: (start: number, end: number) => Promise<readonly KeptLeaf[]>
  /** The signed checkpoints of a size above `start` and up to `end`, by size. */
  checkpointsOf: (start: number, end: number) => Promise<readonly { size: number; note: string }[]>
  /** The newest signed checkpoint. */
  newest: { size: number; note: string }
}

const blockLeaves = 1_000

/**
 * Exports leaves `from` up to, not including, `to` as the lines of trail-lines.ts, without
 * newlines, in flat memory.
 *
 * What is kept is written as it is, right or wrong: finding out is the verifier's part.
 *
 * @throws {RangeError} unless 0 <= from <= to <= the newest checkpoint's size: unsigned leaves are
 * not exported.
 */
export async function* exportTrail(
  source: TrailSource,
  { from, to }: { from: number; to: number },
): AsyncGenerator<string> {
  if (to > source.newest.size) throw new RangeError('leaves beyond the newest checkpoint')
  const maker = new ProofMaker(source.hashesOf)
  const left = (await maker.subtrees(0, from)).map(base64Of)
  const { origin, verifierKeys } = source
  const format = 'gyeol-trail-1'
  yield trailLine({
    kind: 'header',
    format,
    origin,
    from,
    to,
    left,
    verifierKeys: [...verifierKeys],
  })
  for (let start = from; start < to; start += blockLeaves) {
    const end = Math.min(start + blockLeaves, to)
    const checkpoints = new Map(
      (await source.checkpointsOf(start, end)).map(({ size, note }) => [size, note]),
    )
    for (const { number, entry, leafHash } of await source.leavesOf(start, end)) {
      const hash = base64Of(leafHash)
      yield trailLine({ kind: 'leaf', number, hash, entry: Buffer.from(entry).toString('utf8') })
      const note = checkpoints.get(number + 1)
      if (note !== undefined) yield trailLine({ kind: 'checkpoint', note })
    }
  }
  const right = (await maker.subtrees(to, source.newest.size)).map(base64Of)
  yield trailLine({ kind: 'end', right, note: source.newest.note })
}
