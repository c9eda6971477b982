import { readFileSync } from 'node:fs'
import { test } from 'tap'
import { openapiText } from '../../src/cli/openapi.ts'

const committed = new URL('../../openapi/openapi.json', import.meta.url)

test('the committed OpenAPI document is what the routes say', async (t) => {
  t.equal(readFileSync(committed, 'utf8'), await openapiText(), 'run `gyeol openapi`')
})

test('every operation has a name of its own and answers for every status', async (t) => {
  const { paths } = JSON.parse(await openapiText())
  const operations = Object.values<Record<string, { operationId: string; responses: object }>>(
    paths,
  ).flatMap((path) => Object.values(path))
  const names = operations.map(({ operationId }) => operationId)
  t.equal(new Set(names).size, names.length)
  for (const { responses } of operations) t.hasOwnProps(responses, ['4XX', '5XX'])
})
