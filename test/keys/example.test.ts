import { chmod, cp, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test } from 'tap'
import { firstPurposes, keyringSides } from '../../src/keys/key-purposes.ts'
import { makeExampleKeyrings } from '../../src/keys/make-example.ts'
import { openKeyring } from '../../src/keys/open-keyring.ts'

const example = fileURLToPath(new URL('../../keys.example/', import.meta.url))

test('opens the example keyrings in demo mode and nowhere else', async (t) => {
  const home = t.testdir()
  await cp(example, home, { recursive: true })
  const passphrase = Buffer.from((await readFile(join(home, 'passphrase'), 'utf8')).trimEnd())
  for (const side of keyringSides) {
    const path = join(home, `${side}.keyring`)
    await chmod(path, 0o644)
    await t.rejects(openKeyring({ path, passphrase, demo: true, side }), {
      code: 'keyring-refused',
    })
    await chmod(path, 0o600)
    const keyring = await openKeyring({ path, passphrase, demo: true, side })
    for (const purpose of firstPurposes[side]) t.equal(keyring.has({ purpose }), true)
    await t.rejects(openKeyring({ path, passphrase, demo: false, side }), {
      code: 'keyring-refused',
      message: /published example/,
    })
  }
})

test('makes the example keyrings again, and never over others', async (t) => {
  const home = join(t.testdir(), 'keys')
  await makeExampleKeyrings(home, new Date(0))
  const ours = (await readdir(example)).filter(
    (name) => !['README.md', '.gitattributes'].includes(name),
  )
  t.same((await readdir(home)).sort(), ours.sort())
  await t.rejects(makeExampleKeyrings(home, new Date(0)), { code: 'already-exists' })
})
