import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'tap'
import { added, makeKeyring, open, passphrase } from './new-keyring.ts'

test('is whole, and never behind, whenever its writer is killed', async (t) => {
  const { path } = await makeKeyring(t, 'key')
  const module = new URL('../../src/keys/open-keyring.ts', import.meta.url).href
  const script = `
    import { openKeyring } from '${module}'
    const [path, name] = process.argv.slice(1)
    const passphrase = Buffer.from('${passphrase}')
    const keyring = await openKeyring({ path, passphrase, demo: false })
    const act = { createdBy: 'ana', approvedBy: 'ben', now: new Date(0) }
    for (let i = 0; ; i += 1) {
      await keyring.addKey({ purpose: 'linkage', domain: name + '.' + i }, act)
      process.stdout.write(String(i) + '\\n')
    }`
  for (let round = 0; round < 8; round += 1) {
    const name = `round${round}`
    const node = ['--input-type=module', '-e', script, path, name]
    const writer = spawn(process.execPath, node, { stdio: ['ignore', 'pipe', 'inherit'] })
    let told = ''
    writer.stdout.setEncoding('utf8').on('data', (text) => {
      told += text
    })
    await once(writer.stdout, 'data')
    await sleep(round * 7)
    writer.kill('SIGKILL')
    await once(writer, 'close')
    const keyring = await open(path)
    const domains = new Set(keyring.list().map(({ domain }) => domain))
    t.equal(keyring.revision, 1 + domains.size, 'one revision a key')
    for (const index of told.trim().split('\n')) {
      if (!domains.has(`${name}.${index}`)) t.fail('a key that was told of is lost')
    }
  }
  const folder = t.testdirName
  const past = new Date(Date.now() - 61_000)
  const remains = (await readdir(folder)).filter((name) => name !== 'key.keyring')
  for (const name of remains) await utimes(join(folder, name), past, past)
  await (await open(path)).addKey({ purpose: 'linkage', domain: 'last' }, added)
  t.same(await readdir(folder), ['key.keyring'], `${remains.length} remains are cleared away`)
})
