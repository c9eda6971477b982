import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'tap'
import { exitCodes } from '../../src/cli/exit-codes.ts'
import { verifyPackage } from '../../src/cli/verify-package.ts'
import { deliver, expect, makeCohort, takeFile, takeRelease } from '../support/exchange.ts'
import { gyeol, temporaryDirectory } from '../support/gyeol.ts'
import { correlation, ranksByCode } from '../support/orders.ts'
import { reviewersOf } from '../support/reviewers.ts'
import { keysPart, startHttpStage, tablePart } from './stage.ts'

const people = 200
const columns = { code: { rule: 'keep' }, note: { rule: 'keep' }, count: { rule: 'keep' } }
const policy = {
  name: 'package',
  version: '1',
  type: 'A',
  dates: 'relative',
  formats: ['parquet', 'csv'],
  tables: { cases: { columns }, visits: { columns } },
}

const documents = [
  'README.txt',
  'datapackage.json',
  'codebook.csv',
  'linkage-quality.json',
  'disclosure-report.json',
  'utility-report.json',
  'ro-crate-metadata.json',
]

test('a package', async (t) => {
  const { service, operator, spine, other } = await startHttpStage(t)
  for (const [agency, table] of [
    [spine, 'cases'],
    [other, 'visits'],
  ] as const) {
    const parts = [keysPart(people), tablePart(table, people)]
    await service.jobEnd(operator, (await deliver(agency, 'hostile', parts)).job)
  }
  const { cohort, linkage } = await makeCohort(service, operator, 'hostile')
  const everybody = await reviewersOf(service, operator)
  const auditor = await service.person('auditor', ['auditor'])
  const taken = await takeRelease(service, everybody, { cohort, policy })
  await service.signer.publish()
  const { releases } = expect(await auditor.get('/v1/releases'), 200).body
  const path = `/v1/releases/${releases[0].release}`
  const shown = expect(await everybody.recipient.get(path), 200).body
  const proof = expect(await takeFile(everybody.recipient, path, 'audit-proof.txt'), 200).bytes
  const { verifierKey } = (await auditor.get('/v1/audit/checkpoint')).body

  const home = temporaryDirectory(t)
  const caPath = join(home, 'ca.pem')
  writeFileSync(caPath, service.authority.ca)
  const unpacked = (name: string): string => {
    const directory = join(home, name)
    for (const [file, bytes] of [...taken, ['audit-proof.txt', proof] as const]) {
      mkdirSync(dirname(join(directory, file)), { recursive: true })
      writeFileSync(join(directory, file), bytes)
    }
    return directory
  }
  const whole = unpacked('whole')
  const trusted = { key: shown.signatureKey, verifier: verifierKey, ca: caPath }
  const keys = ['--key', trusted.key, '--verifier', trusted.verifier, '--ca', trusted.ca]

  t.test('holds every file that the documentation names', async (t) => {
    for (const name of [
      'datapackage.json',
      'codebook.csv',
      'disclosure-report.json',
      'utility-report.json',
      'linkage-quality.json',
      'ro-crate-metadata.json',
      'manifest.json',
      'manifest.json.sig',
      'manifest.p7s',
      'README.txt',
    ]) {
      t.ok(taken.has(name), name)
    }
    t.ok(shown.files.some(({ name }: { name: string }) => name === 'audit-proof.txt'))
    t.notOk(taken.has('pseudonym-changes.csv'), 'no earlier release of its domain')
    const crate = JSON.parse(taken.get('ro-crate-metadata.json')?.toString() ?? '')
    const graph: { '@id': string; '@type': string | string[] }[] = crate['@graph']
    const ids = new Set(graph.map((each) => each['@id']))
    t.equal(ids.size, graph.length)
    t.equal(graph.filter((each) => each['@type'].includes('prov:Agent')).length, 2, 'agencies')
    for (const [, id] of JSON.stringify(graph).matchAll(/\{"@id":"(urn:gyeol:[^"]+)"\}/g)) {
      t.ok(ids.has(id ?? ''), `${id} is explained`)
    }
    const root = graph.find((each) => each['@id'] === './') as unknown as {
      hasPart: { '@id': string }[]
    }
    const described = [
      'manifest.json',
      'manifest.json.sig',
      'manifest.p7s',
      'ro-crate-metadata.json',
    ]
    const others = [...taken.keys()].filter((name) => !described.includes(name))
    const parts = root.hasPart.map((part) => part['@id'])
    t.same(parts.sort(), others.sort(), 'the crate names them')
    const quality = JSON.parse(taken.get('linkage-quality.json')?.toString() ?? '')
    t.match(quality, { format: 'gyeol-quality-1', linkage, counts: { persons: people } })
    const codebook = taken.get('codebook.csv')?.toString() ?? ''
    t.match(codebook, /^\ufefftable,.*\r\n/)
    t.equal(codebook.split('\r\n').length, 2 + 6)
  })

  t.test('is accepted by a process that has only it and the public keys', async (t) => {
    const ended = await gyeol(['release', 'verify', whole, ...keys, '--json'])
    t.equal(ended.code, 0, ended.out + ended.err)
    const report = JSON.parse(ended.out.trim().split('\n').at(-1) ?? '')
    t.match(report, { verified: true, unchecked: [], problems: [], rows: 3 * people })
    t.same(report.documents, documents, 'and what each document is')
    t.match(ended.err, /published 20.*, leaf \d+ of \d+/)
    const alone = await gyeol(['release', 'verify', whole])
    t.equal(alone.code, 0)
    t.equal(alone.out.match(/not checked/g)?.length, 3, 'it says what it could not check')
  })

  t.test('is what frictionless calls valid, CSV and Parquet', async (t) => {
    const python = process.env['GYEOL_TEST_PYTHON'] ?? 'python3'
    const found = spawnSync(python, ['-c', 'import frictionless'])
    if (found.status !== 0) {
      t.comment('THERE IS NO python3 WITH frictionless HERE: ITS PART OF THE TEST IS SKIPPED')
      return
    }
    const words = ['-m', 'frictionless', 'validate', 'datapackage.json', '--json']
    const { stdout } = spawnSync(python, words, { cwd: whole, encoding: 'utf8' })
    const { valid, tasks } = JSON.parse(stdout)
    const errors = tasks.flatMap((task: { errors: { message: string }[] }) => task.errors)
    t.ok(valid, errors.map(({ message }: { message: string }) => message).join('; '))
    t.equal(tasks.length, 6, 'persons, cases and visits in both formats')
  })

  t.test('is refused when anything of it differs, and where is said', async (t) => {
    const authority = service.authority.ca.toString()
    const verify = (directory: string) => verifyPackage(directory, { ...trusted, ca: authority })
    for (const name of [...taken.keys(), 'audit-proof.txt']) {
      const directory = unpacked('changed')
      const file = join(directory, name)
      const bytes = readFileSync(file)
      const at = name === 'audit-proof.txt' ? 60 : Math.floor(bytes.length / 2)
      bytes[at] = (bytes[at] ?? 0) ^ 1
      writeFileSync(file, bytes)
      const report = await verify(directory)
      t.notOk(report.verified, name)
      t.ok(
        report.problems.some((each) => each.file.startsWith(name)),
        `${name} is named`,
      )
      rmSync(file)
      if (name === 'manifest.json') continue
      const without = await verify(directory)
      t.equal(without.verified, name === 'manifest.p7s', `without ${name}`)
    }
    const more = unpacked('more')
    writeFileSync(join(more, 'data', 'extra.csv'), 'a\n')
    t.match(await verify(more), { verified: false, problems: [{ file: 'data/extra.csv' }] })
    const linked = unpacked('linked')
    rmSync(join(linked, 'README.txt'))
    symlinkSync(join(whole, 'README.txt'), join(linked, 'README.txt'))
    t.match(await verify(linked), { verified: false, problems: [{ file: 'README.txt' }] })
    const otherKey = Buffer.alloc(32, 9).toString('base64')
    const ended = await gyeol(['release', 'verify', whole, '--key', otherKey])
    t.equal(ended.code, 3)
    t.match(ended.out, /manifest\.json\.sig: /)
    t.equal((await gyeol(['release', 'verify', home])).code, 29, 'no manifest')
  })

  t.test('shares no pseudonym, order or position with another of the same people', async (t) => {
    const again = await takeRelease(service, everybody, { cohort, policy })
    const [one, two] = [taken, again].map((files) => ranksByCode(files))
    if (!one || !two) throw new Error('two releases')
    const pseudonyms = [one, two].flatMap((each) => [...each.values()].map((at) => at.pseudonym))
    t.equal(new Set(pseudonyms).size, 2 * people)
    t.same([...one.keys()].sort(), [...two.keys()].sort(), 'the same people')
    const delivered = Array.from({ length: people }, (_, row) => row)
    const ranksOf = (each: typeof one): number[] =>
      delivered.map((row) => each.get(`0${row}`)?.rank ?? -1)
    // Of 200 independent orders one in ten thousand correlates by more than 0.28.
    for (const [what, a, b] of [
      ['two releases', ranksOf(one), ranksOf(two)],
      ['delivery and release', delivered, ranksOf(one)],
      ['delivery and second release', delivered, ranksOf(two)],
    ] as const) {
      const r = correlation(a, b)
      t.ok(Math.abs(r) < 0.3, `${what}: ${r.toFixed(3)}`)
    }
  })

  t.test('has a signature that OpenSSL accepts, and not for another manifest', async (t) => {
    if (spawnSync('openssl', ['version']).error) {
      t.comment('THERE IS NO OPENSSL HERE: ITS PART OF THE TEST IS SKIPPED')
      return
    }
    const check = (content: string): number | null =>
      spawnSync('openssl', [
        ...['cms', '-verify', '-binary', '-inform', 'DER', '-in', join(whole, 'manifest.p7s')],
        ...['-content', content, '-CAfile', caPath, '-out', '/dev/null'],
      ]).status
    t.equal(check(join(whole, 'manifest.json')), 0)
    t.not(check(join(whole, 'README.txt')), 0)
  })
})

test('a policy to begin with is printed', async (t) => {
  const { code, out } = await gyeol(['release', 'draft', '--name', 'survival'])
  t.equal(code, 0)
  t.match(JSON.parse(out), { name: 'survival', type: 'A', dates: 'relative' })
  const example = await gyeol(['release', 'draft', '--example', 'breast-cancer-survival'])
  t.match(JSON.parse(example.out), { name: 'breast-cancer-survival', measures: { k: 5 } })
  const unknown = await gyeol(['release', 'draft', '--example', 'none'])
  t.equal(unknown.code, exitCodes['option-unknown'])
  t.equal(unknown.out, '')
})
