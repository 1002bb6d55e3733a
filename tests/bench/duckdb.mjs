// SPDX-License-Identifier: ISC
//
// duckdb.mjs FOLDER SCHEMA CSV THREADS: a table checked by DuckDB with one statement: explicit types, every constraint of the schema as
// SQL, distinct keys counted. FOLDER is where npm put @duckdb/node-api. Prints rows, broken rules, keys, seconds.
import { createRequire } from 'node:module'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'

const [folder, schemaPath, csv, threads] = process.argv.slice(2)
const { DuckDBInstance } = createRequire(resolve(folder) + '/')('@duckdb/node-api')
const schema = JSON.parse(readFileSync(schemaPath, 'utf8'))

const TYPES = { string: 'VARCHAR', any: 'VARCHAR', integer: 'BIGINT', number: 'DOUBLE', boolean: 'BOOLEAN', date: 'DATE', datetime: 'TIMESTAMP' }
const text = value => `'${String(value).replaceAll("'", "''")}'`
const name = field => `"${field.name.replaceAll('"', '""')}"`

// What a row may not be, one condition a constraint.
function broken(field) {
	const rules = field.constraints ?? {}
	const list = []
	if (rules.required) list.push(`${name(field)} IS NULL`)
	if (rules.pattern) list.push(`NOT regexp_full_match(${name(field)}, ${text(rules.pattern)})`)
	if (rules.enum) list.push(`${name(field)} NOT IN (${rules.enum.map(text).join(', ')})`)
	if (rules.minimum !== undefined) list.push(`${name(field)} < ${text(rules.minimum)}`)
	if (rules.maximum !== undefined) list.push(`${name(field)} > ${text(rules.maximum)}`)
	if (rules.maxLength !== undefined) list.push(`length(${name(field)}) > ${rules.maxLength}`)
	if (rules.minLength !== undefined) list.push(`length(${name(field)}) < ${rules.minLength}`)
	return list
}

const columns = schema.fields.map(field => `${text(field.name)}: ${text(TYPES[field.type])}`).join(', ')
const checks = schema.fields.flatMap(broken).map(rule => `count(*) FILTER (WHERE ${rule})`).join(' + ')
const keys = schema.fields.filter(field => field.constraints?.unique).map(field => `count(DISTINCT ${name(field)})`)
const formats = `timestampformat = '%Y-%m-%dT%H:%M:%S', dateformat = '%Y-%m-%d'`
const statement = `SELECT count(*) AS n, ${checks || '0'} AS broken, ${keys.join(' + ') || '0'} AS keys FROM read_csv(${text(csv)},
	auto_detect = false, header = true, delim = ',', quote = '"', escape = '"', new_line = '\\n', strict_mode = true,
	nullstr = [${(schema.missingValues ?? ['']).map(text).join(', ')}], ${formats}, columns = {${columns}})`

const instance = await DuckDBInstance.create(':memory:', { threads })
const connection = await instance.connect()
const start = process.hrtime.bigint()
const [row] = (await connection.runAndReadAll(statement)).getRowObjects()
const seconds = Number(process.hrtime.bigint() - start) / 1e9
console.log(`rows=${row.n} faults=${row.broken} keys=${row.keys} seconds=${seconds.toFixed(2)} peak_kib=${process.resourceUsage().maxRSS}`)
