import { test } from 'tap'
import { defaultCatalogue } from '../../src/catalogue/load.ts'
import { canonicalJson } from '../../src/core/canonical.ts'
import { codebookOf } from '../../src/core/codebook.ts'
import { dataPackageOf, type TableFile } from '../../src/core/data-package.ts'
import { examplePolicies } from '../../src/core/example-policies.ts'
import { policySchema } from '../../src/core/policy.ts'
import { manifestOf, type PackageFile, type ReleaseFacts } from '../../src/core/release-manifest.ts'

const facts: ReleaseFacts = {
  release: 'r',
  project: 'p',
  cohort: 'c',
  linkage: 'l',
  domain: 'd',
  kind: 'A',
  policySha256: 'a'.repeat(64),
  linkageSha256: 'b'.repeat(64),
  recipient: 'kim',
  purpose: 'x',
  place: 'y',
  validUntil: '2030-01-01T00:00:00Z',
  builtAt: '2026-01-01T00:00:00Z',
}
const file = (name: string, more: Partial<PackageFile> = {}): PackageFile => ({
  name,
  bytes: 1,
  sha256: 'c'.repeat(64),
  ...more,
})

test('is the same text whatever order the files came in', (t) => {
  const files = [file('data/b/part-1.parquet', { rows: 2 }), file('README.txt'), file('a.json')]
  const text = canonicalJson(manifestOf(facts, files))
  t.equal(canonicalJson(manifestOf(facts, files.toReversed())), text)
  t.not(canonicalJson(manifestOf({ ...facts, recipient: 'lee' }, files)), text)
  t.end()
})

test('names no file twice and none outside the package', (t) => {
  t.throws(() => manifestOf(facts, [file('a'), file('a')]), RangeError)
  for (const name of ['../a', 'a/../b', '/a', 'a//b', 'a\\b', '', '.', 'a/.', 'a\nb']) {
    t.throws(() => manifestOf(facts, [file(name)]), RangeError, JSON.stringify(name))
  }
  t.throws(() => manifestOf(facts, [file('a', { sha256: 'C'.repeat(64) })]), RangeError)
  t.throws(() => manifestOf(facts, [file('a', { bytes: -1 })]), RangeError)
  t.ok(manifestOf(facts, [file('data/a/part-1.parquet'), file('a..b')]))
  t.end()
})

test('describes each table and format with the columns that left', (t) => {
  const policy = policySchema.parse({
    name: 'p',
    version: '2',
    type: 'A',
    dates: 'relative',
    formats: ['parquet', 'csv'],
    tables: {
      registration: {
        columns: { FDX_DD: { rule: 'date' }, SEX: { rule: 'keep' }, TOPO_CD: { rule: 'drop' } },
      },
    },
  })
  const part = (number: number, format: 'parquet' | 'csv'): TableFile => ({
    ...file(`data/registration/part-${number}.${format}`),
    table: 'registration',
    format,
    rows: 10,
  })
  const files = [part(1, 'parquet'), part(2, 'parquet'), part(1, 'csv')]
  const described = dataPackageOf({
    escaped: {},
    policy,
    catalogue: defaultCatalogue(),
    files,
    persons: [],
    counts: [],
  })
  t.match(described, {
    profile: 'data-package',
    resources: [
      {
        name: 'registration',
        path: ['data/registration/part-1.parquet', 'data/registration/part-2.parquet'],
        'x-rows': 20,
        schema: {
          fields: [
            { name: 'pseudonym' },
            { name: 'SEX', type: 'string', constraints: { enum: ['1', '2'] } },
            { name: 'FDX_DD', type: 'integer', 'x-unit': 'days since the first diagnosis' },
          ],
        },
      },
      { name: 'registration-csv', format: 'csv', path: ['data/registration/part-1.csv'] },
    ],
  })
  t.ok(canonicalJson(described))
  t.end()
})

test('describes tables of counts by the titles of what they count', async (t) => {
  const policy = examplePolicies().get('cancer-counts')
  if (!policy) throw new Error('no such example')
  const counts = Object.keys(policy.counts ?? {}).map((name) => ({
    ...file(`tables/${name}.csv`),
    rows: 9,
  }))
  const catalogue = defaultCatalogue()
  const described = dataPackageOf({
    escaped: {},
    policy,
    catalogue,
    files: [],
    persons: [],
    counts,
  })
  const titled = { title: /./, 'x-title-ko': /./ }
  const schema = { fields: [titled, titled, titled], missingValues: ['*'] }
  t.match(described, { resources: counts.map(() => ({ ...titled, schema })) })
  t.match(JSON.stringify(described), /"persons.diagnosis_month".*"Year of the first diagnosis"/)
  const codebook = codebookOf(policy, catalogue)
  t.equal(codebook.split('\r\n').length, 2 + 3 * 4)
  t.match(codebook, /^tables\/surgery-by-year,,persons\.diagnosis_month,string,Year of/m)
  t.match(
    codebook,
    /^tables\/tumours,,rows,integer,Rows,행 수,,\* = hidden \/ 숨김,threshold=10\r$/m,
  )
})
