import fc from 'fast-check'
import { test } from 'tap'
import { Refusal } from '../../src/core/errors.ts'
import { ProofMaker } from '../../src/core/merkle-proof.ts'
import { tlogProofText, verifyTlogProof } from '../../src/core/tlog-proof.ts'
import { checkpointOf, leafOf, logOf, signerOf } from './trail-fixture.ts'

const log = logOf(150)
const keys = [log.signer.verifierKey]
const maker = new ProofMaker((start, end) =>
  log.leaves.slice(start, end).map((leaf) => leaf.leafHash),
)

/** The proof of the leaf at `index` in the tree of `size` leaves. */
async function textOf(index: number, size: number): Promise<string> {
  const proof = await maker.inclusionProof(index, size)
  return tlogProofText({ index, proof, note: checkpointOf(log, size) })
}

function entryOf(index: number): Uint8Array {
  const leaf = log.leaves[index]
  if (leaf === undefined) throw new Error('the log is shorter than the test')
  return leaf.entry
}

test('reads as C2SP tlog-proof has it', async (t) => {
  const [format, index, ...rest] = (await textOf(5, 7)).split('\n')
  t.equal(format, 'c2sp.org/tlog-proof@v1')
  t.equal(index, 'index 5')
  t.equal(rest.slice(0, 4).join(' ').length, 3 * 44 + 3, 'three siblings and an empty line')
  t.equal(rest.slice(4).join('\n'), checkpointOf(log, 7))
})

test('proves each entry of the log, and no other entry in its place', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 150 }), fc.nat(), async (size, pick) => {
      const index = pick % size
      const text = await textOf(index, size)
      const found = verifyTlogProof(text, entryOf(index), keys)
      let refused = ''
      try {
        verifyTlogProof(text, leafOf(index, 'nothing').entry, keys)
      } catch (error) {
        if (error instanceof Refusal) refused = error.code
      }
      return found.index === index && found.checkpoint.size === size && refused === 'digest-differs'
    }),
  )
  t.pass('the property holds')
})

test('every changed character is noticed', async (t) => {
  const text = await textOf(99, 150)
  for (let i = 0; i < text.length; i++) {
    const changed = text.slice(0, i) + (text[i] === '1' ? '2' : '1') + text.slice(i + 1)
    t.throws(() => verifyTlogProof(changed, entryOf(99), keys), Refusal, `character ${i}`)
  }
})

test('passes over extra data and refuses what is no proof', async (t) => {
  const text = await textOf(0, 3)
  const extra = text.replace('index', 'extra AAAA\nindex')
  t.equal(verifyTlogProof(extra, entryOf(0), keys).index, 0)
  for (const wrong of [
    '',
    '\n\n',
    text.replace('index 0', 'index 00'),
    text.replace('=\n', '\n'),
  ]) {
    t.throws(() => verifyTlogProof(wrong, entryOf(0), keys), { code: 'input-malformed' })
  }
  const others = [signerOf(6).verifierKey]
  t.throws(() => verifyTlogProof(text, entryOf(0), others), { code: 'signature-wrong' })
})
