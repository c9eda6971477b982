import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import { untrueExitCode } from '../../src/cli/exit-codes.ts'
import { untilReady } from '../../src/cli/readiness.ts'
import { verifyTrail } from '../../src/core/verify-trail.ts'
import { GyeolProcess, gyeol, processesWith, temporaryDirectory } from '../support/gyeol.ts'
import { patienceMs, until } from '../support/until.ts'

/** A home in a directory of its own, with scratch in memory where there is any. */
function places(t: Parameters<typeof temporaryDirectory>[0]) {
  const directory = temporaryDirectory(t)
  const scratch = existsSync('/dev/shm')
    ? join('/dev/shm', directory.slice(1).replaceAll('/', '-'))
    : join(directory, 'scratch')
  mkdirSync(scratch, { mode: 0o700 })
  t.teardown(() => rmSync(scratch, { recursive: true, force: true }))
  const home = join(directory, 'home')
  return {
    home,
    scratch,
    environment: { GYEOL_HOME: home, GYEOL_PORT: '0', GYEOL_SCRATCH: scratch },
  }
}

const urlOf = (out: string): string => /"url":"(https:[^"]+)","msg":"ready"/.exec(out)?.[1] ?? ''

test('the service starts whole, answers over TLS, keeps its processes and ends without a trace', async (t) => {
  const { home, scratch, environment } = places(t)
  const service = new GyeolProcess(['start'], environment)
  t.teardown(() => service.child.kill('SIGKILL'))
  await service.says('"msg":"ready"')
  t.match(service.err, 'Their passphrases lie beside them')
  for (const name of readdirSync(join(home, 'keys'))) {
    t.equal(statSync(join(home, 'keys', name)).mode & 0o777, 0o600)
  }
  const url = urlOf(service.out)
  const ca = readFileSync(join(home, 'tls', 'ca.pem'))
  await untilReady(url, ca, patienceMs)

  const pids = processesWith(home)
  const environments = pids.map((pid) => readFileSync(`/proc/${pid}/environ`, 'utf8'))
  for (const text of environments) {
    t.ok((text.match(/postgres:\/\//g) ?? []).length <= 1, 'a process has the URL of one role')
  }
  const dumped = pids.map((pid) => readFileSync(`/proc/${pid}/coredump_filter`, 'utf8').trim())
  t.ok(
    dumped.every((filter) => /^0+$/.test(filter)),
    'no memory goes into a core dump',
  )
  const worker = pids.find((pid) =>
    readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('--side\0key'),
  )
  process.kill(worker ?? 0, 'SIGKILL')
  await service.says('a process ended and is started again')
  const countOf = (side: string): number =>
    service.out.split(`"process":"${side}","jobs"`).length - 1
  await until(() => countOf('key') >= 2, 'a worker that was killed is back')

  service.child.kill('SIGTERM')
  const { code } = await service.ended
  t.equal(code, 0)
  t.same(processesWith(home), [])
  t.same(readdirSync(scratch), [])
})

test('an auditor takes the trail out and checks it without the service', async (t) => {
  const { home, environment } = places(t)
  const service = new GyeolProcess(['start'], environment)
  t.teardown(() => service.child.kill('SIGKILL'))
  await service.says('"msg":"ready"')
  const password = join(home, 'cho.password')
  writeFileSync(password, 'a long enough password\n', { mode: 0o600 })
  const added = await gyeol(
    ['accounts', 'add', '--name', 'cho', '--roles', 'auditor', '--password-file', password],
    environment,
  )
  t.equal(added.code, 0, added.err)
  // All that happened before; the signer may have gone on meanwhile.
  await service.says(/"size":([5-9]|\d\d+),"msg":"checkpoint published"/)
  const file = join(home, 'trail.jsonl')
  const words = ['audit', 'export', '--out', file, '--name', 'cho', '--password-file', password]
  const exported = await gyeol([...words, '--url', urlOf(service.out), '--json'], environment)
  t.equal(exported.code, 0, exported.err)
  t.match(JSON.parse(exported.out), {
    isWhole: true,
    verified: true,
  })
  service.child.kill('SIGTERM')
  await service.ended

  const verified = await gyeol(['audit', 'verify', file, '--json'])
  t.equal(verified.code, 0)
  t.match(JSON.parse(verified.out), { verified: true })
  t.match(verified.err, 'the trail holds', 'what is for people goes elsewhere')
  const text = readFileSync(file, 'utf8')
  t.ok((await verifyTrail(text.trim().split('\n'))).verified)
  writeFileSync(file, text.replace('"name\\":\\"key\\"', '"name\\":\\"kex\\"'))
  const edited = await gyeol(['audit', 'verify', file])
  t.equal(edited.code, untrueExitCode)
  t.match(edited.out, /^leaf \d: The entry does not fit its recorded hash: it was edited\.$/m)
})

test('nothing runs on when the service is killed', async (t) => {
  const { home, scratch, environment } = places(t)
  const service = new GyeolProcess(['start'], environment)
  t.teardown(() => service.child.kill('SIGKILL'))
  await service.says('"msg":"ready"')
  t.ok(processesWith(home).length >= 5)
  service.child.kill('SIGKILL')
  await service.ended
  await until(() => processesWith(home).length === 0, 'no process is left')
  t.same(readdirSync(scratch), [])
})
