import { readFileSync, writeFileSync } from 'node:fs'
import { test } from 'tap'
import { startTestDatabase } from '../support/database.ts'
import { schemaText } from '../support/schema.ts'

const path = new URL('../../migrations/schema.sql', import.meta.url)

test('migrations/schema.sql is what the migrations come to', async (t) => {
  const database = await startTestDatabase(t)
  const text = await schemaText(database.pool('admin'))
  if (process.env['TAP_SNAPSHOT'] === '1') writeFileSync(path, text)
  t.equal(text, readFileSync(path, 'utf8'))
})
