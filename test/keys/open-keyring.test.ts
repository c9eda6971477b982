import { createHash } from 'node:crypto'
import { chmod, copyFile, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'tap'
import { canonicalJson } from '../../src/core/canonical.ts'
import { Refusal } from '../../src/core/errors.ts'
import { parseKeyring } from '../../src/keys/keyring-file.ts'
import { openKeyring } from '../../src/keys/open-keyring.ts'
import { added, makeKeyring, open, passphrase } from './new-keyring.ts'

test('refuses each reason with its own sentence', async (t) => {
  const { path, keyring } = await makeKeyring(t, 'api')
  const older = join(t.testdirName, 'older')
  await copyFile(path, older)
  await keyring.addKey({ purpose: 'session', epoch: 2 }, added)
  const text = await readFile(path, 'utf8')
  const sentences = new Set<string>()
  const refused = async (options: Partial<Parameters<typeof openKeyring>[0]>, code: string) => {
    const opening = openKeyring({ path, passphrase, demo: false, ...options })
    const error = await opening.then(
      () => undefined,
      (thrown) => thrown,
    )
    t.match(error, { name: 'Refusal', code })
    sentences.add(error?.message)
  }
  await refused({ passphrase: Buffer.from('another passphrase') }, 'passphrase-wrong')
  await refused({ side: 'sign' }, 'keyring-refused')
  await refused({ path: older, newestRevision: 2 }, 'keyring-refused')
  await refused({ path: join(t.testdirName, 'none') }, 'keyring-refused')
  for (const mode of [0o644, 0o640, 0o601, 0o620]) {
    await chmod(path, mode)
    await refused({}, 'keyring-refused')
  }
  await chmod(path, 0o600)
  await writeFile(path, text.slice(0, -20))
  await refused({}, 'keyring-refused')
  const { sha256: _, ...parts } = JSON.parse(text)
  parts.content.keys[0].createdBy = 'eve'
  const sha256 = createHash('sha256').update(canonicalJson(parts.content)).digest('hex')
  const forged = JSON.stringify(JSON.parse(canonicalJson({ ...parts, sha256 })), null, 1)
  await writeFile(path, `${forged}\n`)
  await refused({}, 'keyring-refused')
  t.equal(sentences.size, 7, 'seven reasons, seven sentences')
  await writeFile(path, text)
  t.equal((await openKeyring({ path, passphrase, demo: false, newestRevision: 2 })).revision, 2)
})

test('notices every flipped bit', async (t) => {
  const { path } = await makeKeyring(t, 'api')
  const bytes = await readFile(path)
  const { check, mac } = JSON.parse(bytes.toString())
  const left: Buffer[] = []
  for (let bit = 0; bit < bytes.length * 8; bit += 1) {
    const flipped = Buffer.from(bytes)
    flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    try {
      const file = parseKeyring(flipped.toString('utf8'))
      if (file.check === check && file.mac === mac) t.fail(`bit ${bit} was not noticed`)
      left.push(flipped) // In `check` and `mac` a flip is left for the passphrase to notice.
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
    }
  }
  t.ok(left.length > 100 && left.length < 1000)
  for (const flipped of left.filter((_, index) => index % 20 === 0)) {
    await writeFile(path, flipped)
    await t.rejects(open(path), { name: 'Refusal' })
  }
})
