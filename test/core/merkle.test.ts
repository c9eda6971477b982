import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { test } from 'tap'
import { emptyRoot, Frontier, leafHash, nodeHash, rootOf } from '../../src/core/merkle.ts'
import { wholeSubtrees } from '../../src/core/merkle-ranges.ts'
import { holds } from './holds.ts'

/** MTH as RFC 6962 section 2.1 writes it, from the entries. */
function definedRoot(entries: readonly Uint8Array[]): Buffer {
  const sha256 = (...parts: Uint8Array[]): Buffer =>
    createHash('sha256').update(Buffer.concat(parts)).digest()
  const [first] = entries
  if (first === undefined) return sha256()
  if (entries.length === 1) return sha256(Buffer.of(0), first)
  let k = 1
  while (k * 2 < entries.length) k *= 2
  const [left, right] = [definedRoot(entries.slice(0, k)), definedRoot(entries.slice(k))]
  return sha256(Buffer.of(1), left, right)
}

const anyEntries = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 70, size: 'max' })

test('the root is the one RFC 6962 defines', async (t) => {
  holds(
    t,
    fc.property(anyEntries, (entries) =>
      definedRoot(entries).equals(rootOf(entries.map(leafHash))),
    ),
  )
})

test('knows the roots of the published tree of eight', async (t) => {
  const entries = [
    '',
    '00',
    '10',
    '2021',
    '3031',
    '40414243',
    '5051525354555657',
    '606162636465666768696a6b6c6d6e6f',
  ]
  const roots = [
    '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
    'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
    'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
    'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
    '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
    'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
    '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
  ]
  const frontier = new Frontier()
  t.equal(Buffer.from(frontier.root()).toString('hex'), Buffer.from(emptyRoot).toString('hex'))
  for (const [i, entry] of entries.entries()) {
    frontier.append(leafHash(Buffer.from(entry, 'hex')))
    t.equal(Buffer.from(frontier.root()).toString('hex'), roots[i])
    t.equal(frontier.size, i + 1)
  }
})

test('whole subtrees append like their leaves', async (t) => {
  holds(
    t,
    fc.property(fc.nat(200), fc.nat(200), (a, b) => {
      const [start, end] = [Math.min(a, b), Math.max(a, b)]
      const hashes = Array.from({ length: end }, (_, i) => leafHash(Buffer.from(`leaf ${i}`)))
      const frontier = new Frontier()
      for (const range of [...wholeSubtrees(0, start), ...wholeSubtrees(start, end)]) {
        const root = rootOf(hashes.slice(range.start, range.end))
        frontier.append(root, range.end - range.start)
      }
      return frontier.size === end && Buffer.compare(frontier.root(), rootOf(hashes)) === 0
    }),
  )
})

test('holds its shape at sizes beyond 32 bits', async (t) => {
  const [big, one] = [leafHash(Buffer.of(1)), leafHash(Buffer.of(2))]
  const frontier = new Frontier()
  frontier.append(big, 2 ** 40)
  frontier.append(one)
  frontier.append(one)
  t.equal(frontier.size, 2 ** 40 + 2)
  t.same(frontier.root(), nodeHash(big, nodeHash(one, one)))
})

test('takes no subtree where none can start, and no other hash', async (t) => {
  const frontier = new Frontier()
  frontier.append(emptyRoot)
  t.throws(() => frontier.append(emptyRoot, 2), RangeError)
  t.throws(() => frontier.append(emptyRoot, 0), RangeError)
  t.throws(() => new Frontier().append(emptyRoot, 3), RangeError)
  t.throws(() => frontier.append(new Uint8Array(31)), RangeError)
})
