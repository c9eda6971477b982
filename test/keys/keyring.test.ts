import { execFile } from 'node:child_process'
import { createHash, createPublicKey, randomBytes, verify } from 'node:crypto'
import { copyFile, readdir, readFile, rename, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { inspect, promisify } from 'node:util'
import { test } from 'tap'
import type { Keyring } from '../../src/keys/keyring.ts'
import { createKeyring } from '../../src/keys/open-keyring.ts'
import { openVault } from '../../src/vault/vault.ts'
import { added, destroyed, makeKeyring, now, open, passphrase } from './new-keyring.ts'

const project = '5a6f3bfc-6a41-4a4e-9a2e-8f1a6a3c1d11'

test('keeps its keys over a restart: same MACs, same signatures, same revision', async (t) => {
  const { path, keyring } = await makeKeyring(t, 'key')
  const linkage = { purpose: 'linkage', project } as const
  const { id, epoch } = await keyring.addKey({ ...linkage, algorithm: 'cmac-aes-256' }, added)
  t.match(id, /^[0-9a-f-]{36}$/)
  t.equal(epoch, 1)
  const messages = randomBytes(32 * 5)
  const macs = keyring.macColumn(linkage, messages, 32)
  t.equal(macs.length, 80)
  t.same(keyring.mac(linkage, messages.subarray(0, 32)), macs.subarray(0, 16))
  const again = await open(path)
  t.same(again.macColumn(linkage, messages, 32), macs)
  t.same([again.side, again.revision], ['key', 2])
  t.ok(
    again.sha256.equals(
      createHash('sha256')
        .update(await readFile(path))
        .digest(),
    ),
  )
  t.equal((await stat(path)).mode & 0o777, 0o600)
  t.same(await readdir(t.testdirName), ['key.keyring'])
})

test('signs with Ed25519, and makes pseudonyms of the domain', async (t) => {
  const { keyring } = await makeKeyring(t, 'sign')
  const bytes = Buffer.from('checkpoint')
  const x = Buffer.from(keyring.publicKey({ purpose: 'audit' })).toString('base64url')
  const publicKey = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' })
  t.ok(verify(null, bytes, publicKey, keyring.sign({ purpose: 'audit' }, bytes)))
  t.notOk(verify(null, bytes, publicKey, keyring.sign({ purpose: 'release-signature' }, bytes)))
  t.throws(() => keyring.mac({ purpose: 'audit' }, bytes), TypeError)
  const data = (await makeKeyring(t, 'data')).keyring
  const [a, b] = ['release-a', 'release-b'].map((domain) => ({
    purpose: 'pseudonym' as const,
    project,
    domain,
  }))
  if (a === undefined || b === undefined) throw new Error('two domains')
  await data.addKey(a, added)
  await data.addKey(b, added)
  const persons = randomBytes(48)
  t.equal(data.pseudonyms(a, persons).length, 48)
  t.notSame(data.pseudonyms(a, persons), data.pseudonyms(b, persons))
  t.throws(() => data.publicKey(a), TypeError)
})

test('opens vault objects sealed to it, by key id, and not those of another side', async (t) => {
  const { keyring } = await makeKeyring(t, 'key')
  const other = (await makeKeyring(t, 'data')).keyring
  const ref = { purpose: 'sealing', project } as const
  const { id: keyId, publicKey } = await keyring.addKey(ref, added)
  if (publicKey === undefined) throw new Error('a sealing key has a public half')
  t.equal(publicKey.length, 65)
  t.same(keyring.describe(ref).publicKey, publicKey)
  const vault = await openVault(join(t.testdirName, 'vault'))
  const context = { project, kind: 'tokens', objectId: project }
  const source = (async function* () {
    yield Buffer.from('sealed')
  })()
  await vault.put(source, { recipientPublicKey: publicKey, keyId, context })
  const openerOf = (side: Keyring) => side.openSealed.bind(side)
  t.equal((await buffer(await vault.openRead(openerOf(keyring), context))).toString(), 'sealed')
  const opened = async (side: Keyring, as = context) =>
    buffer(await vault.openRead(openerOf(side), as))
  await t.rejects(opened(other), { code: 'sealed-object-damaged' })
  await t.rejects(opened(keyring, { ...context, kind: 'persons' }), {
    code: 'sealed-object-damaged',
  })
  await keyring.addKey({ ...ref, epoch: 2 }, added)
  t.equal((await opened(keyring)).toString(), 'sealed', 'after a rotation')
  t.same(await keyring.destroyKey({ ...ref, epoch: 1 }, destroyed), [keyId])
  await t.rejects(opened(keyring), { code: 'key-destroyed' })
})

test('rotates by epochs: the old one serves only who names it, and signs no more', async (t) => {
  const { keyring } = await makeKeyring(t, 'sign')
  const before = keyring.describe({ purpose: 'audit' })
  await t.rejects(keyring.addKey({ purpose: 'audit' }, added), { code: 'already-exists' })
  await t.rejects(keyring.addKey({ purpose: 'audit', epoch: 3 }, added), { code: 'state-conflict' })
  await keyring.addKey({ purpose: 'audit', epoch: 2 }, added)
  t.not(keyring.describe({ purpose: 'audit' }).id, before.id)
  t.same(keyring.describe({ purpose: 'audit', epoch: 1 }), {
    ...before,
    state: 'verify-only',
    retiredAt: now.toISOString(),
  })
  t.throws(() => keyring.sign({ purpose: 'audit', epoch: 1 }, Buffer.from('x')), {
    code: 'state-conflict',
  })
  t.equal(keyring.sign({ purpose: 'audit', epoch: 2 }, Buffer.from('x')).length, 64)
})

test('destroys a key in all epochs, once, and forgets it', async (t) => {
  const { path, keyring } = await makeKeyring(t, 'key')
  const ref = { purpose: 'linkage', project } as const
  await keyring.addKey(ref, added)
  keyring.mac(ref, Buffer.alloc(32))
  const wrapped = JSON.parse(await readFile(path, 'utf8')).content.keys[0].wrapped
  await keyring.addKey({ ...ref, epoch: 2 }, added)
  t.equal((await keyring.destroyKey(ref, destroyed)).length, 2)
  for (const epoch of [undefined, 1, 2]) {
    t.throws(() => keyring.mac({ ...ref, epoch }, Buffer.alloc(32)), { code: 'key-destroyed' })
    t.equal(keyring.has({ ...ref, epoch }), false)
  }
  await t.rejects(keyring.destroyKey(ref, destroyed), { code: 'key-destroyed' })
  await t.rejects(keyring.destroyKey({ ...ref, domain: 'x' }, destroyed), { code: 'not-found' })
  t.notOk((await readFile(path, 'utf8')).includes(wrapped))
  const [first] = keyring.list()
  t.match(first, { state: 'destroyed', destroyedBy: 'ana', destructionApprovedBy: 'ben' })
  t.notOk(JSON.stringify(keyring.list()).includes('wrapped'))
})

test('takes two people for every key act', async (t) => {
  const { keyring } = await makeKeyring(t, 'key')
  const ref = { purpose: 'linkage', project } as const
  await t.rejects(keyring.addKey(ref, { ...added, approvedBy: 'ana' }), { code: 'own-act' })
  await keyring.addKey(ref, added)
  await t.rejects(keyring.destroyKey(ref, { ...destroyed, approvedBy: 'ana' }), { code: 'own-act' })
  t.equal(keyring.has(ref), true)
  const path = join(t.testdirName, 'other')
  const people = { createdBy: 'ana', approvedBy: 'ana' }
  await t.rejects(createKeyring({ path, side: 'key', passphrase, now, ...people }), {
    code: 'own-act',
  })
})

test('holds no key of another side, and no key under a wrong algorithm or name', async (t) => {
  const { keyring } = await makeKeyring(t, 'data')
  await t.rejects(keyring.addKey({ purpose: 'linkage', project }, added), TypeError)
  await t.rejects(keyring.addKey({ purpose: 'pseudonym', algorithm: 'ed25519' }, added), TypeError)
  await t.rejects(keyring.addKey({ purpose: 'sealing', project: 'P1' }, added))
  await t.rejects(keyring.addKey({ purpose: 'date', domain: '../x' }, added))
  t.equal(keyring.revision, 1)
})

test('shows nothing of itself', async (t) => {
  const { keyring } = await makeKeyring(t, 'api')
  keyring.mac({ purpose: 'session' }, Buffer.alloc(32))
  t.equal(JSON.stringify({ keyring }), '{"keyring":"[secret]"}')
  t.equal(inspect(keyring, { depth: 9, showHidden: true }), '[secret]')
  t.equal(inspect({ deps: { keyring } }, { depth: 9 }), '{ deps: { keyring: [secret] } }')
  t.same(Object.keys(keyring), [])
  t.same(Object.getOwnPropertySymbols(keyring), [])
})

test('sees at once what another process changed, and refuses an older file put back', async (t) => {
  const { path, keyring } = await makeKeyring(t, 'key')
  const older = join(t.testdirName, 'older')
  await copyFile(path, older)
  const other = await open(path)
  const ref = { purpose: 'linkage', project } as const
  await other.addKey(ref, added)
  t.equal(keyring.has(ref), true)
  t.same(keyring.mac(ref, Buffer.alloc(32)), other.mac(ref, Buffer.alloc(32)))
  await other.destroyKey(ref, destroyed)
  t.throws(() => keyring.mac(ref, Buffer.alloc(32)), { code: 'key-destroyed' })
  t.equal(keyring.revision, 3)
  await rename(older, path)
  t.throws(() => keyring.has(ref), { code: 'keyring-refused' })
  await t.rejects(other.addKey({ ...ref, domain: 'x' }, added), { code: 'keyring-refused' })
})

test('loses no key when processes add keys at the same time', async (t) => {
  const { path } = await makeKeyring(t, 'key')
  const module = new URL('../../src/keys/open-keyring.ts', import.meta.url).href
  const script = `
    import { openKeyring } from '${module}'
    const [path, name] = process.argv.slice(1)
    const passphrase = Buffer.from('${passphrase}')
    const keyring = await openKeyring({ path, passphrase, demo: false })
    const act = { createdBy: 'ana', approvedBy: 'ben', now: new Date(0) }
    for (let i = 0; i < 15; i += 1) {
      await keyring.addKey({ purpose: 'linkage', domain: name + i }, act)
    }`
  const run = (name: string) =>
    promisify(execFile)(process.execPath, ['--input-type=module', '-e', script, path, name])
  await Promise.all(['a', 'b', 'c'].map(run))
  const keyring = await open(path)
  t.equal(keyring.list().length, 45)
  t.equal(keyring.revision, 46)
  t.same(await readdir(t.testdirName), ['key.keyring'])
})
