import fc from 'fast-check'
import { test } from 'tap'
import { leafHash, rootOf } from '../../src/core/merkle.ts'
import { ProofMaker } from '../../src/core/merkle-proof.ts'
import { verifyConsistency, verifyInclusion } from '../../src/core/merkle-verify.ts'
import { rfc6962, withVectors } from './vectors.ts'

type InclusionCase = {
  leafIdx: number
  treeSize: number
  root: string
  leafHash: string
  proof: string[] | null
  desc: string
  wantErr: boolean
}
type ConsistencyCase = {
  size1: number
  size2: number
  root1: string
  root2: string
  proof: string[] | null
  desc: string
  wantErr: boolean
}

function bytesOf(base64: string): Uint8Array {
  return Buffer.from(base64, 'base64')
}

function proofOf(proof: string[] | null): Uint8Array[] {
  return (proof ?? []).map(bytesOf)
}

test('says of every foreign inclusion proof what it should', withVectors, async (t) => {
  const cases = rfc6962<InclusionCase>('inclusion')
  t.equal(cases.length, 98)
  for (const each of cases) {
    const holds = verifyInclusion({
      index: each.leafIdx,
      size: each.treeSize,
      leafHash: bytesOf(each.leafHash),
      proof: proofOf(each.proof),
      root: bytesOf(each.root),
    })
    t.equal(holds, !each.wantErr, `${each.desc}, leaf ${each.leafIdx} of ${each.treeSize}`)
  }
})

test('says of every foreign consistency proof what it should', withVectors, async (t) => {
  const cases = rfc6962<ConsistencyCase>('consistency')
  t.equal(cases.length, 98)
  for (const each of cases) {
    const holds = verifyConsistency({
      size1: each.size1,
      size2: each.size2,
      root1: bytesOf(each.root1),
      root2: bytesOf(each.root2),
      proof: proofOf(each.proof),
    })
    t.equal(holds, !each.wantErr, `${each.desc}, ${each.size1} to ${each.size2}`)
  }
})

// More than two blocks of the proof maker, so that its memory of blocks is part of what is tested.
const hashes = Array.from({ length: 2_600 }, (_, i) => leafHash(Buffer.from(`leaf ${i}`)))
const maker = new ProofMaker((start, end) => hashes.slice(start, end))
const anySize = fc.oneof(
  fc.integer({ min: 1, max: 70 }),
  fc.integer({ min: 1, max: hashes.length }),
  fc.constantFrom(1_023, 1_024, 1_025, 2_047, 2_048, 2_049),
)

test('proves every leaf of every tree up to 70', async (t) => {
  let proven = 0
  for (let size = 1; size <= 70; size++) {
    const root = rootOf(hashes.slice(0, size))
    for (const [index, hash] of hashes.slice(0, size).entries()) {
      const proof = await maker.inclusionProof(index, size)
      const claim = { index, size, leafHash: hash, proof, root }
      if (!verifyInclusion(claim)) t.fail(`leaf ${index} of ${size}`)
      if (size > 1 && verifyInclusion({ ...claim, index: (index + 1) % size })) t.fail('elsewhere')
      proven++
    }
  }
  t.equal(proven, (70 * 71) / 2)
})

test('proves the growth between all trees up to 70', async (t) => {
  let proven = 0
  for (let size2 = 1; size2 <= 70; size2++) {
    const root2 = rootOf(hashes.slice(0, size2))
    for (let size1 = 1; size1 <= size2; size1++) {
      const root1 = rootOf(hashes.slice(0, size1))
      const proof = await maker.consistencyProof(size1, size2)
      const claim = { size1, size2, root1, root2, proof }
      if (!verifyConsistency(claim)) t.fail(`${size1} to ${size2}`)
      const forged = leafHash(root1)
      if (verifyConsistency({ ...claim, root1: forged })) t.fail('another past')
      if (verifyConsistency({ ...claim, root2: forged })) t.fail('another present')
      proven++
    }
  }
  t.equal(proven, (70 * 71) / 2)
})

test('proves across blocks, and a changed proof proves nothing', async (t) => {
  await fc.assert(
    fc.asyncProperty(anySize, anySize, fc.nat(), async (a, b, pick) => {
      const [size1, size2] = [Math.min(a, b), Math.max(a, b)]
      const index = pick % size2
      const root1 = await maker.root(size1)
      const root2 = rootOf(hashes.slice(0, size2))
      const inclusion = {
        index,
        size: size2,
        leafHash: hashes[index] ?? root2,
        proof: await maker.inclusionProof(index, size2),
        root: root2,
      }
      const proof = await maker.consistencyProof(size1, size2)
      const consistency = { size1, size2, root1, root2, proof }
      const changed = (hashesOfProof: Uint8Array[]): Uint8Array[] =>
        hashesOfProof.map((hash, i) => (i === pick % hashesOfProof.length ? leafHash(hash) : hash))
      return (
        verifyInclusion(inclusion) &&
        verifyConsistency(consistency) &&
        (inclusion.proof.length === 0 ||
          !verifyInclusion({ ...inclusion, proof: changed(inclusion.proof) })) &&
        (proof.length === 0 || !verifyConsistency({ ...consistency, proof: changed(proof) }))
      )
    }),
  )
  t.pass('the property holds')
})

test('reads a whole block once', async (t) => {
  const reads: [number, number][] = []
  const watched = new ProofMaker((start, end) => {
    reads.push([start, end])
    return hashes.slice(start, end)
  })
  await watched.root(2_600)
  t.same(reads.splice(0), [
    [0, 1_024],
    [1_024, 2_048],
    [2_048, 2_600],
  ])
  await watched.inclusionProof(1_500, 2_600)
  for (const [start, end] of reads) {
    t.ok(start >= 1_024 && end - start <= 1_024, 'only the block of the leaf and the last one')
  }
})

test('positions outside the tree and missing leaves are defects', async (t) => {
  await t.rejects(maker.inclusionProof(3, 3), RangeError)
  await t.rejects(maker.inclusionProof(-1, 3), RangeError)
  await t.rejects(maker.inclusionProof(0.5, 3), RangeError)
  await t.rejects(maker.consistencyProof(0, 3), RangeError)
  await t.rejects(maker.consistencyProof(4, 3), RangeError)
  await t.rejects(maker.root(2_601), Error)
})
