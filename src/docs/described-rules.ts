import type { Type } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { getMetadataStorage, ValidationTypes } from 'class-validator';
import { rulesOf } from '../common/http/compiled-dto.js';
import { isNullable } from '../common/http/nulls.js';
import { schemaOfRules } from '../common/http/rule-schemas.js';
import { Config } from '../config/config.js';

/** All classes that have rules. */
const classesWithRules = (): Type[] =>
  [
    ...(getMetadataStorage() as unknown as { validationMetadatas: Map<unknown, unknown> }).validationMetadatas.keys(),
  ].filter((target): target is Type => typeof target === 'function');

/** Says of each field of a DTO what its rules say. Before a document is made, and after the plugin's metadata. */
export function describeRules(): void {
  for (const type of classesWithRules()) {
    if (type === Config) continue;
    // What is inherited is said of the class that has it.
    const own = rulesOf(type).filter(({ target }) => target === type);
    for (const name of new Set(own.map(({ propertyName }) => propertyName))) {
      ApiProperty(schemaOfField(type, name))(type.prototype as object, name);
    }
  }
}

/** What the rules of a field say. A field that may be left out may be null, too: the same, or a value of its own. */
export function schemaOfField(type: Type, name: string): Record<string, unknown> {
  const rules = rulesOf(type).filter(({ propertyName }) => propertyName === name);
  const values = rules.filter((rule) => rule.type === ValidationTypes.CUSTOM_VALIDATION);
  const preset = (new type() as Record<string, unknown>)[name];
  const isOptional = preset !== undefined || rules.some((rule) => rule.name === 'isOptional');
  return {
    ...schemaOfRules(values),
    ...((isNullable(rules) || isOptional) && { nullable: true }),
    ...(isOptional && { required: false }),
    ...(preset !== undefined && { default: preset }),
  };
}
