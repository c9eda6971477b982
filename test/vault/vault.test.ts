import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readdir, readFile, rename, stat, truncate, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import fc from 'fast-check'
import { test } from 'tap'
import { chunks, filesIn, optionsFor, pair, setUp } from './new-vault.ts'

test('stores content sealed, tells its size and digest, and opens it again', async (t) => {
  const { vault, directory, outside } = await setUp(t)
  const options = optionsFor(randomUUID())
  const { context } = options
  const [a, b] = [randomBytes(700_000), randomBytes(900_000)]
  const stored = await vault.put(chunks(a, b), options)
  const plain = Buffer.concat([a, b])
  t.equal(stored.plainBytes, 1_600_000)
  t.ok(stored.plainSha256.equals(createHash('sha256').update(plain).digest()))
  const sealed = await buffer(await vault.get(context.objectId))
  t.equal(sealed.length, stored.bytes)
  t.equal(sealed.indexOf(plain.subarray(0, 32)), -1)
  t.ok((await buffer(await vault.openRead(pair.opener, context))).equals(plain))
  const path = join(outside, 'opened')
  await vault.openToFile(pair.opener, context, path)
  t.ok((await readFile(path)).equals(plain))
  t.equal((await stat(path)).mode & 0o777, 0o600)
  const folder = join(directory, context.objectId.slice(0, 2))
  t.equal((await stat(join(folder, context.objectId))).mode & 0o777, 0o600)
  for (const made of [directory, folder, join(directory, 'temporary')]) {
    t.equal((await stat(made)).mode & 0o777, 0o700)
  }
  t.same(await readdir(join(directory, 'temporary')), [])
})

test('never replaces an object', async (t) => {
  const { vault, directory } = await setUp(t)
  const options = optionsFor(randomUUID())
  await vault.put(chunks(Buffer.from('first')), options)
  await t.rejects(vault.put(chunks(Buffer.from('second')), options), { code: 'already-exists' })
  t.equal((await buffer(await vault.openRead(pair.opener, options.context))).toString(), 'first')
  t.same(await filesIn(directory), [options.context.objectId])
})

test('leaves nothing when the source breaks, is too large, or the key is none', async (t) => {
  const { vault, directory } = await setUp(t)
  const broken = new Error('socket closed')
  async function* breaking(): AsyncGenerator<Uint8Array> {
    yield randomBytes(3 << 20)
    throw broken
  }
  await t.rejects(vault.put(breaking(), optionsFor(randomUUID())), broken)
  await t.rejects(vault.put(chunks(Buffer.alloc(11)), optionsFor(randomUUID(), 10)), {
    code: 'body-too-large',
    details: { bytesMax: 10 },
  })
  const options = { ...optionsFor(randomUUID()), recipientPublicKey: Buffer.alloc(65) }
  await t.rejects(vault.put(chunks(Buffer.alloc(1)), options))
  t.same(await filesIn(directory), [])
  const body = Readable.from([Buffer.alloc(8), Buffer.alloc(8), Buffer.alloc(8)])
  const kept = vault.put(body.iterator({ destroyOnReturn: false }), optionsFor(randomUUID(), 10))
  await t.rejects(kept, { code: 'body-too-large' })
  t.equal(body.destroyed, false, 'a stream whose owner wants to answer is left open')
  t.same(await filesIn(directory), [])
  await vault.put(chunks(Buffer.alloc(10)), optionsFor(randomUUID(), 10))
  t.equal((await filesIn(directory)).length, 1)
})

test('refuses an object that is not there, and a name that is no uuid', async (t) => {
  const { vault, outside } = await setUp(t)
  const { context } = optionsFor(randomUUID())
  await t.rejects(vault.get(context.objectId), { code: 'not-found' })
  await t.rejects(vault.openRead(pair.opener, context), { code: 'not-found' })
  await t.rejects(vault.openToFile(pair.opener, context, join(outside, 'x')), { code: 'not-found' })
  for (const name of ['../../etc/passwd', '', randomUUID().toUpperCase(), `${randomUUID()}/`]) {
    await t.rejects(vault.get(name), RangeError)
  }
  t.notOk(existsSync(join(outside, 'x')))
})

test('writes no part of a damaged object, and keeps what was there before', async (t) => {
  const { vault, directory, outside } = await setUp(t)
  const options = optionsFor(randomUUID())
  const { context } = options
  const { bytes } = await vault.put(chunks(randomBytes(3 << 20)), options)
  const sealed = join(directory, context.objectId.slice(0, 2), context.objectId)
  const path = join(outside, 'output')
  await writeFile(path, 'before')
  for (const cut of [bytes - 1, 136 + (1 << 20), 100, 0]) {
    await truncate(sealed, cut)
    await t.rejects(vault.openToFile(pair.opener, context, path), { code: 'sealed-object-damaged' })
    await t.rejects(buffer(await vault.openRead(pair.opener, context)), {
      code: 'sealed-object-damaged',
    })
    t.equal(await readFile(path, 'utf8'), 'before')
    t.same((await readdir(outside)).sort(), ['output', 'vault'])
  }
})

test('reads any range, and refuses it of an object that was cut short elsewhere', async (t) => {
  const { vault, directory } = await setUp(t)
  const segment = (1 << 20) - 16
  for (const size of [0, 1, segment - 40, segment - 39, 2 * segment - 40, 2 * segment + 500]) {
    const options = optionsFor(randomUUID())
    const plain = randomBytes(size)
    await vault.put(chunks(plain), options)
    const read = async (start: number, end: number): Promise<Buffer> =>
      buffer(await vault.openRead(pair.opener, options.context, { start, end }))
    const position = fc.oneof(
      fc.integer({ min: 0, max: size }),
      fc.constantFrom(0, segment - 41, segment - 40, segment - 39, 2 * segment - 40, size),
    )
    await fc.assert(
      fc.asyncProperty(position, position, async (a, b) => {
        const [start, end] = [Math.min(a, b, size), Math.min(Math.max(a, b), size)]
        return (await read(start, end)).equals(plain.subarray(start, end))
      }),
      { numRuns: 40 },
    )
    await t.rejects(read(0, size + 1), RangeError)
    await t.rejects(read(-1, size), RangeError)
    const path = join(directory, options.context.objectId.slice(0, 2), options.context.objectId)
    const { size: sealedBytes } = await stat(path)
    for (const cut of [sealedBytes - 1, 136 + (1 << 20), 176, 100, 0]) {
      if (cut >= sealedBytes) continue
      await truncate(path, cut)
      await t.rejects(read(0, Math.min(1, size)), { code: 'sealed-object-damaged' })
    }
  }
})

test('refuses two objects swapped on the disk', async (t) => {
  const { vault, directory, outside } = await setUp(t)
  const [a, b] = [optionsFor(randomUUID()), optionsFor(randomUUID())]
  await vault.put(chunks(Buffer.from('a')), a)
  await vault.put(chunks(Buffer.from('b')), b)
  const pathOf = (id: string): string => join(directory, id.slice(0, 2), id)
  await rename(pathOf(a.context.objectId), join(outside, 'kept'))
  await rename(pathOf(b.context.objectId), pathOf(a.context.objectId))
  await t.rejects(buffer(await vault.openRead(pair.opener, a.context)), {
    code: 'sealed-object-damaged',
  })
})

test('destroys an object once', async (t) => {
  const { vault, directory } = await setUp(t)
  const options = optionsFor(randomUUID())
  await vault.put(chunks(Buffer.from('x')), options)
  t.equal(await vault.destroy(options.context.objectId), true)
  t.equal(await vault.destroy(options.context.objectId), false)
  t.same(await filesIn(directory), [])
})

test('sweeps old orphans and torn writes, and nothing that is named or young', async (t) => {
  const { vault, directory } = await setUp(t)
  const now = new Date('2026-03-01T12:00:00Z')
  const aged = async (path: string, minutes: number): Promise<void> => {
    const at = new Date(now.getTime() - minutes * 60_000)
    await utimes(path, at, at)
  }
  const ids: Record<string, string> = {}
  for (const name of ['named old', 'orphan old', 'orphan young']) {
    const options = optionsFor(randomUUID())
    const id = options.context.objectId
    ids[name] = id
    await vault.put(chunks(Buffer.from(name)), options)
    await aged(join(directory, id.slice(0, 2), id), name.endsWith('old') ? 61 : 59)
  }
  for (const [name, minutes] of [
    ['torn-old', 61],
    ['torn-young', 59],
  ] as const) {
    await writeFile(join(directory, 'temporary', name), 'x')
    await aged(join(directory, 'temporary', name), minutes)
  }
  const asked: string[] = []
  const isNamed = async (some: string[]): Promise<Set<string>> => {
    asked.push(...some)
    return new Set(some.filter((id) => id === ids['named old']))
  }
  const options = { olderThanMs: 60 * 60_000, now }
  t.same(await vault.sweep(isNamed, options), { objects: 2, orphans: 1, temporaries: 1 })
  t.notOk(asked.includes(ids['orphan young'] ?? ''))
  t.same(
    (await filesIn(directory)).sort(),
    [ids['named old'], ids['orphan young'], 'torn-young'].sort(),
  )
  t.same(await vault.sweep(isNamed, options), { objects: 1, orphans: 0, temporaries: 0 })
})
