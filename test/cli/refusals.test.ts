import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { test } from 'tap'
import { exitCodes } from '../../src/cli/exit-codes.ts'
import type { KeyringSide } from '../../src/keys/key-purposes.ts'
import { makeExampleKeyrings } from '../../src/keys/make-example.ts'
import { createKeyring } from '../../src/keys/open-keyring.ts'
import { argon2Least } from '../../src/keys/passphrase.ts'
import { startTestDatabase } from '../support/database.ts'
import { gyeol, processesWith, temporaryDirectory } from '../support/gyeol.ts'

const passphrase = 'a passphrase for this test'
const act = { createdBy: 'one', approvedBy: 'two', now: new Date() }

/** A keyring of a side with its passphrase beside it. */
async function makeKeys(directory: string, side: KeyringSide) {
  mkdirSync(directory, { recursive: true })
  const path = join(directory, `${side}.keyring`)
  const secret = Buffer.from(passphrase)
  const keyring = await createKeyring({
    path,
    side,
    passphrase: secret,
    ...act,
    argon2: argon2Least,
  })
  writeFileSync(join(directory, `${side}.passphrase`), `${passphrase}\n`, { mode: 0o600 })
  return { path, keyring }
}

test('start refuses a port that is taken, before it makes anything', async (t) => {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  t.teardown(() => server.close())
  const address = server.address()
  const port = typeof address === 'object' ? String(address?.port) : ''
  const home = join(temporaryDirectory(t), 'home')
  const { code, err } = await gyeol(['start'], { GYEOL_HOME: home, GYEOL_PORT: port })
  t.equal(code, exitCodes['address-taken'])
  t.equal(
    err,
    `Something else listens at this port. Stop it, or set GYEOL_PORT to another.\nport: ${port}\n`,
  )
  t.notOk(existsSync(home))
})

test('start refuses a home that cannot be written', async (t) => {
  const file = join(temporaryDirectory(t), 'file')
  writeFileSync(file, '')
  const { code, err } = await gyeol(['start'], { GYEOL_HOME: join(file, 'home'), GYEOL_PORT: '0' })
  t.equal(code, exitCodes['option-unknown'])
  t.equal(err, 'The home directory cannot be written. Set GYEOL_HOME to one that can.\n')
  t.same(processesWith(file), [])
})

test('a process refuses its keyring for every reason there is, and leaves no process', async (t) => {
  const database = await startTestDatabase(t)
  const home = temporaryDirectory(t)
  const keys = join(home, 'keys')
  const environment = {
    GYEOL_HOME: home,
    DATABASE_URL: database.urls.gyeol_sign,
    GYEOL_LOG_LEVEL: 'silent',
  }
  const sign = (...more: string[]) => gyeol(['sign', ...more], environment)

  const missing = await sign()
  t.equal(missing.code, exitCodes['not-found'], 'no passphrase')

  const { path, keyring } = await makeKeys(keys, 'sign')
  const wrong = join(home, 'wrong')
  writeFileSync(wrong, 'another passphrase', { mode: 0o600 })
  const denied = await sign('--passphrase-file', wrong)
  t.equal(denied.code, exitCodes['passphrase-wrong'])
  t.equal(denied.err, 'The passphrase does not open this keyring.\n')

  chmodSync(wrong, 0o644)
  t.equal((await sign('--passphrase-file', wrong)).code, exitCodes['keyring-refused'])

  chmodSync(path, 0o644)
  t.equal((await sign()).code, exitCodes['keyring-refused'], 'readable by others')
  chmodSync(path, 0o600)

  await database
    .pool('admin')
    .query(`insert into gyeol.keyring_revision (side, revision, sha256) values ('sign', $1, $2)`, [
      keyring.revision,
      Buffer.alloc(32),
    ])
  const other = await sign()
  t.equal(other.code, exitCodes['keyring-refused'])
  t.match(other.err, 'Another keyring with this revision was in use before.')

  await database
    .pool('admin')
    .query(`insert into gyeol.keyring_revision (side, revision, sha256) values ('sign', 9, $1)`, [
      Buffer.alloc(32),
    ])
  const older = await sign()
  t.equal(older.code, exitCodes['keyring-refused'])
  t.match(older.err, 'older than the newest')
  t.same(processesWith(home), [])
})

test('a published keyring is refused outside demo mode', async (t) => {
  const database = await startTestDatabase(t)
  const home = temporaryDirectory(t)
  const example = join(home, 'example')
  await makeExampleKeyrings(example, new Date())
  chmodSync(join(example, 'passphrase'), 0o600)
  const { code, err } = await gyeol(['sign', '--passphrase-file', join(example, 'passphrase')], {
    GYEOL_HOME: home,
    GYEOL_KEYS: example,
    DATABASE_URL: database.urls.gyeol_sign,
  })
  t.equal(code, exitCodes['keyring-refused'])
  t.match(err, 'published example')
})

test('a worker refuses scratch on a disk, and a side that is none', {
  skip: process.platform !== 'linux',
}, async (t) => {
  const home = temporaryDirectory(t)
  const nowhere = { GYEOL_HOME: home, DATABASE_URL: 'postgres://nobody@127.0.0.1:1/gyeol' }
  const side = await gyeol(['work', '--side', 'left'], nowhere)
  t.equal(side.code, 2)
  // A directory of the system that is on no memory file system wherever tests run.
  const disk = join(import.meta.dirname, '../../node_modules/.scratch-of-a-test')
  mkdirSync(disk, { recursive: true, mode: 0o700 })
  t.teardown(() => rmSync(disk, { recursive: true }))
  const { code, err } = await gyeol(['work', '--side', 'key'], { ...nowhere, GYEOL_SCRATCH: disk })
  t.equal(code, 2)
  t.equal(err, 'GYEOL_SCRATCH is on a disk. Set it to a directory on a memory file system.\n')
  t.same(readdirSync(disk), [])
})

test('commands refuse files that are missing or there already', async (t) => {
  const home = temporaryDirectory(t)
  const environment = { GYEOL_HOME: home }
  const taken = join(home, 'taken')
  writeFileSync(taken, '')
  const none = join(home, 'none')
  const endings = await Promise.all([
    gyeol(['audit', 'verify', none], environment),
    gyeol(['ca', 'sign', none, '--agency', 'a', '--out', none], environment),
    gyeol(['audit', 'export', '--out', taken, '--name', 'a', '--password-file', none], environment),
    gyeol(
      ['accounts', 'add', '--name', 'a', '--roles', 'head', '--password-file', none],
      environment,
    ),
    gyeol(['migrate'], environment),
  ])
  const codes = endings.map(({ code }) => code)
  const { 'not-found': missing, 'already-exists': exists, 'option-unknown': wrong } = exitCodes
  t.same(codes, [missing, missing, exists, missing, wrong])
  for (const { err } of endings) t.notMatch(err, home)
})

test('a database that is away is an outage: one sentence, exit code 1', async (t) => {
  const home = temporaryDirectory(t)
  await makeKeys(join(home, 'keys'), 'sign')
  const { code, err } = await gyeol(['sign'], {
    GYEOL_HOME: home,
    DATABASE_URL: 'postgres://gyeol_sign:hunter2@127.0.0.1:1/gyeol',
  })
  t.equal(code, 1)
  t.equal(
    err,
    'Something that is needed cannot be reached. Check the URLs, and that it runs. (ECONNREFUSED)\n',
  )
})

test('an authority is made once, and signs what an agency asks', async (t) => {
  const home = temporaryDirectory(t)
  const environment = { GYEOL_HOME: home }
  const made = await gyeol(['ca', 'init', '--name', 'Test'], environment)
  t.equal(made.code, 0)
  const again = await gyeol(['ca', 'init', '--name', 'Test'], environment)
  t.equal(again.code, exitCodes['already-exists'])
  const server = await gyeol(['ca', 'server', '--hosts', 'localhost,127.0.0.1'], environment)
  t.equal(server.code, 0)
  t.same(readdirSync(join(home, 'tls')).sort(), ['ca.key', 'ca.pem', 'server.key', 'server.pem'])
  copyFileSync(join(home, 'tls', 'ca.pem'), join(home, 'no-request'))
  const words = [
    'ca',
    'sign',
    join(home, 'no-request'),
    '--agency',
    'a',
    '--out',
    join(home, 'a.pem'),
  ]
  t.equal((await gyeol(words, environment)).code, exitCodes['input-malformed'])
})
