import type { Type } from '@nestjs/common';
import { TransformationType, type TransformFnParams } from 'class-transformer';
import { defaultMetadataStorage as transformations } from 'class-transformer/cjs/storage.js';
import {
  getMetadataStorage,
  type ValidationArguments,
  ValidationTypes,
  type ValidatorConstraintInterface,
} from 'class-validator';
import type { FieldError } from '../errors/domain-error.js';
import { isNullable } from './nulls.js';
import { wordsOf } from './rule-words.js';

type Fields = Record<string, unknown>;
type Rule = ReturnType<typeof rulesOf>[number];

/** A rule with what tells whether a value keeps it; what is nested has a DTO for that. */
interface Check {
  rule: Rule;
  validator?: ValidatorConstraintInterface;
}

interface Field {
  name: string;
  isNullable: boolean;
  /** What makes a value of what was sent: @Transform. */
  transforms: ((params: TransformFnParams) => unknown)[];
  /** All must hold, or nothing is checked: @IsOptional, @ValidateIf. */
  conditions: ((dto: object, value: unknown) => boolean)[];
  /** In the order in which they are tried. */
  checks: Check[];
  nested?: Check & { dto: CompiledDto };
}

export const rulesOf = (type: Type) => getMetadataStorage().getTargetValidationMetadatas(type, '', false, false);

/** Beside @IsOptional and @ValidateIf, which have a condition, and @Allow, which only names the field. */
const { CUSTOM_VALIDATION, CONDITIONAL_VALIDATION, NESTED_VALIDATION, WHITELIST } = ValidationTypes;
const KNOWN_RULES = new Set([CUSTOM_VALIDATION, CONDITIONAL_VALIDATION, NESTED_VALIDATION, WHITELIST]);

const compiled = new WeakMap<Type, CompiledDto>();

/**
 * What the decorators of a DTO say, looked up once. class-transformer and class-validator look it up in each call,
 * which takes much longer than what they then do. The answers are the same: validation.spec.ts compares. A decorator
 * that this does not know is refused when it is compiled, so that no rule is lost.
 */
export class CompiledDto {
  /** A default is the same for each request. */
  private readonly defaults: Fields;
  private readonly fields: Field[];

  static of(type: Type): CompiledDto {
    return compiled.get(type) ?? new CompiledDto(type);
  }

  private constructor(private readonly type: Type) {
    // Before its fields: what is nested may be of the same class.
    compiled.set(type, this);
    const names = [...new Set(rulesOf(type).map(({ propertyName }) => propertyName))];
    const hidden = [...transformations.getExposedMetadatas(type), ...transformations.getExcludedMetadatas(type)];
    if (hidden.length > 0 || transformations.getStrategy(type) !== 'none') this.refuse('it', '@Expose or @Exclude');
    this.defaults = { ...new type() };
    for (const [name, value] of Object.entries(this.defaults)) {
      if (!names.includes(name)) this.refuse(name, 'a default, but no rule');
      if (typeof value === 'object' && value !== null) this.refuse(name, 'a default that requests would share');
    }
    this.fields = names.map((name) => this.compile(name));
  }

  /** An instance of what was sent: the fields that have a rule, and no other. */
  read(sent: object): Fields {
    const dto = Object.assign(Object.create(this.type.prototype as object) as Fields, this.defaults);
    for (const { name, isNullable: mayBeNull, transforms, nested } of this.fields) {
      if (!Object.hasOwn(sent, name)) continue;
      let value = copyOf((sent as Fields)[name], nested?.dto);
      for (const transform of transforms) {
        value = transform({ value, key: name, obj: sent, type: TransformationType.PLAIN_TO_CLASS, options: {} });
      }
      // Another null is as good as not sent: the default stays, if there is one.
      if (value !== null || mayBeNull) dto[name] = value;
    }
    return dto;
  }

  /** What is wrong: of each field that it is not there, or the first rule that it breaks. */
  faultsOf(dto: Fields, path = '', faults: FieldError[] = []): FieldError[] {
    for (const { name, conditions, checks, nested } of this.fields) {
      const value = dto[name];
      if (!conditions.every((holds) => holds(dto, value))) continue;
      const broken = checks.find((check) => !keeps(check, dto, value));
      if (broken && value === undefined) faults.push({ field: path + name, message: 'is required' });
      else if (broken) faults.push({ field: path + name, message: messageOf(broken, dto, value, name) });
      else if (nested) nestedFaults(nested, dto, value, path + name, name, faults);
    }
    return faults;
  }

  private compile(name: string): Field {
    const { type } = this;
    if (name in type.prototype) this.refuse(name, 'an accessor or a method');
    const rules = rulesOf(type).filter(({ propertyName }) => propertyName === name);
    for (const { type: kind, name: called, groups, always, context, validateIf } of rules) {
      if (!KNOWN_RULES.has(kind)) this.refuse(name, `the rule ${called ?? kind}`);
      const options = { groups: groups?.length, always, context, validateIf };
      for (const [option, value] of Object.entries(options)) if (value) this.refuse(name, `the option ${option}`);
    }
    const of = (kind: string) => rules.filter((rule) => rule.type === kind);
    const transforms = transformations.findTransformMetadatas(type, name, TransformationType.PLAIN_TO_CLASS);
    if (transforms.some(({ options }) => Object.keys(options ?? {}).length > 0)) {
      this.refuse(name, '@Transform with options');
    }
    return {
      name,
      isNullable: isNullable(rules),
      transforms: transforms.map(({ transformFn }) => transformFn),
      conditions: of(CONDITIONAL_VALIDATION).map((rule) => rule.constraints[0] as Field['conditions'][number]),
      checks: of(CUSTOM_VALIDATION).flatMap((rule) => this.checksOf(name, rule)),
      nested: this.nestedOf(name, of(NESTED_VALIDATION)[0], transforms.length > 0),
    };
  }

  private checksOf(name: string, rule: Rule): Check[] {
    const validators = getMetadataStorage().getTargetValidatorConstraints(rule.constraintCls);
    if (validators.length === 0) this.refuse(name, '@Validate of a class without @ValidatorConstraint');
    if (validators.some((one) => one.async)) this.refuse(name, `${rule.name}, which answers later`);
    return validators.map(({ instance }) => ({ rule, validator: instance }));
  }

  private nestedOf(name: string, rule: Rule | undefined, isTransformed: boolean): Field['nested'] {
    const meant = transformations.findTypeMetadata(this.type, name);
    if (!rule && !meant) return undefined;
    if (!rule || !meant) return this.refuse(name, 'one of @Type and @ValidateNested without the other');
    if (isTransformed) return this.refuse(name, '@Type and @Transform');
    if (meant.options && Object.keys(meant.options).length > 0) return this.refuse(name, '@Type with options');
    if ([Map, Set].includes(meant.reflectedType)) return this.refuse(name, 'a Map or a Set');
    return { rule, dto: CompiledDto.of(meant.typeFunction() as Type) };
  }

  private refuse(name: string, what: string): never {
    throw new Error(`${this.type.name}: ${name} has ${what}; compiled-dto.ts does not know that.`);
  }
}

/** What was sent, without names that mean something to JavaScript, and with instances where a DTO says what it is. */
function copyOf(value: unknown, dto?: CompiledDto): unknown {
  if (Array.isArray(value)) return value.map((one) => copyOf(one, dto));
  if (typeof value !== 'object' || value === null) return value;
  if (dto) return dto.read(value);
  const named = Object.entries(value).filter(([name]) => !(name in Object.prototype) && name !== 'prototype');
  return Object.fromEntries(named.map(([name, one]) => [name, copyOf(one)]));
}

function keeps(check: Check, dto: object, value: unknown): boolean {
  const given = argumentsOf(check, dto, value);
  if (check.rule.each && Array.isArray(value)) return value.every((one) => isGood(check, one, given));
  return isGood(check, value, given);
}

function isGood({ rule, validator }: Check, value: unknown, given: ValidationArguments): boolean {
  const answer = validator!.validate(value, given);
  // A promise would pass for a yes.
  if (typeof answer !== 'boolean') throw new TypeError(`${rule.name} must answer true or false at once`);
  return answer;
}

/** Not made by spreading: that took longer than all else. */
const argumentsOf = ({ rule }: Check, object: object, value: unknown): ValidationArguments => ({
  targetName: object.constructor.name,
  property: rule.propertyName,
  object,
  value,
  constraints: rule.constraints,
});

function nestedFaults(
  nested: NonNullable<Field['nested']>,
  dto: object,
  value: unknown,
  path: string,
  name: string,
  faults: FieldError[],
): void {
  if (value === undefined) return;
  if (Array.isArray(value)) {
    for (const [index, one] of value.entries()) {
      nestedFaults(nested, dto, one, `${path}.${index}`, String(index), faults);
    }
  } else if (typeof value === 'object' && value !== null) nested.dto.faultsOf(value as Fields, `${path}.`, faults);
  else faults.push({ field: path, message: messageOf(nested, dto, value, name) });
}

/** In the words of the rule, with what class-validator puts in for placeholders, and without the name in front. */
function messageOf(check: Check, dto: object, value: unknown, name: string): string {
  const given = argumentsOf(check, dto, value);
  const { message } = check.rule;
  const said = typeof message === 'function' ? message(given) : message;
  // What it says of itself is not for people.
  const own = said?.endsWith('must be either object or array') ? undefined : said;
  let text = own || (wordsOf(check.rule) ?? check.validator?.defaultMessage?.(given) ?? '');
  for (const [index, constraint] of (given.constraints ?? []).entries()) {
    const shown = Array.isArray(constraint) ? constraint.join(', ') : String(constraint);
    text = text.replaceAll(`$constraint${index + 1}`, shown);
  }
  if (['string', 'boolean', 'number'].includes(typeof value)) text = text.replaceAll('$value', String(value));
  text = text.replaceAll('$property', given.property).replaceAll('$target', given.targetName);
  return text.startsWith(`${name} `) ? text.slice(name.length + 1) : text;
}
