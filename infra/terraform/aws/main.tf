data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}

locals {
  account   = data.aws_caller_identity.current.account_id
  partition = data.aws_partition.current.partition
  region    = data.aws_region.current.region
  prefix    = "audit"
  folders   = ["batches", "manifests", "anchors"]
  # The metadata of the protected resource has a function of its own, where the resource has a name.
  has_resource = contains(keys(var.environment), "TGEFD_RESOURCE")
  functions = merge(
    {
      authorizer = { bundle = "authorizer", handler = "handler", timeout = 8, secrets = ["redis_token", "audit_pseudonym_key"] }
      archive    = { bundle = "archive", handler = "handler", timeout = 60, secrets = ["redis_token", "audit_pseudonym_key", "audit_signing_key"] }
    },
    local.has_resource ? {
      metadata = { bundle = "authorizer", handler = "metadata", timeout = 8, secrets = ["redis_token", "audit_pseudonym_key"] }
    } : {},
  )
  secrets = toset(["redis_token", "audit_pseudonym_key", "audit_signing_key"])
  environment = merge(
    var.environment,
    {
      TGEFD_AUDIT_BUCKET        = aws_s3_bucket.audit.bucket
      TGEFD_AUDIT_COLD_DAYS     = tostring(var.audit_days.cold)
      TGEFD_AUDIT_HOT_DAYS      = tostring(var.audit_days.hot)
      TGEFD_AUDIT_PREFIX        = local.prefix
      TGEFD_AUDIT_S3_REGION     = local.region
      TGEFD_AUDIT_WARM_DAYS     = tostring(var.audit_days.warm)
      TGEFD_AUTHORIZER_RESPONSE = "simple"
      TGEFD_AUTHORIZER_TTL_SEC  = tostring(var.authorizer_ttl_seconds)
    },
    var.policy == null ? {} : { TGEFD_POLICY_FILE = "/var/task/policy.json" },
  )
}

# --- Keys and secrets ------------------------------------------------------------------------------------------------

data "aws_iam_policy_document" "key" {
  statement {
    sid       = "Account"
    actions   = ["kms:*"]
    resources = ["*"]
    principals {
      type        = "AWS"
      identifiers = ["arn:${local.partition}:iam::${local.account}:root"]
    }
  }
  statement {
    sid       = "Logs"
    actions   = ["kms:Encrypt*", "kms:Decrypt*", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:Describe*"]
    resources = ["*"]
    principals {
      type        = "Service"
      identifiers = ["logs.${local.region}.${data.aws_partition.current.dns_suffix}"]
    }
    condition {
      test     = "ArnLike"
      variable = "kms:EncryptionContext:aws:logs:arn"
      values   = ["arn:${local.partition}:logs:${local.region}:${local.account}:log-group:/aws/lambda/${var.name}-*"]
    }
  }
}

resource "aws_kms_key" "operations" {
  description         = "Secrets, logs and variables of ${var.name}"
  enable_key_rotation = true
  policy              = data.aws_iam_policy_document.key.json
  tags                = var.tags
}

resource "aws_kms_key" "audit" {
  description         = "Audit records of ${var.name}"
  enable_key_rotation = true
  tags                = var.tags
}

# Filled by you: {"current": "…", "previous": ""}. Until then the functions decide nothing.
resource "aws_secretsmanager_secret" "product" {
  for_each                = local.secrets
  name                    = "${var.name}/${each.key}"
  description             = "TGEFD_${upper(each.key)} of ${var.name}"
  kms_key_id              = aws_kms_key.operations.arn
  recovery_window_in_days = 30
  tags                    = var.tags
}

# --- Functions -------------------------------------------------------------------------------------------------------

data "archive_file" "function" {
  for_each    = local.functions
  type        = "zip"
  output_path = "${path.module}/.build/${var.name}-${each.key}.zip"
  source {
    content  = file("${var.bundles}/lambda-${each.value.bundle}.mjs")
    filename = "lambda-${each.value.bundle}.mjs"
  }
  dynamic "source" {
    for_each = var.policy == null ? [] : [var.policy]
    content {
      content  = source.value
      filename = "policy.json"
    }
  }
}

resource "aws_cloudwatch_log_group" "function" {
  for_each          = local.functions
  name              = "/aws/lambda/${var.name}-${each.key}"
  kms_key_id        = aws_kms_key.operations.arn
  retention_in_days = 30
  tags              = var.tags
}

resource "aws_lambda_function" "function" {
  for_each                       = local.functions
  function_name                  = "${var.name}-${each.key}"
  role                           = aws_iam_role.function[each.key].arn
  filename                       = data.archive_file.function[each.key].output_path
  source_code_hash               = data.archive_file.function[each.key].output_base64sha256
  handler                        = "lambda-${each.value.bundle}.${each.value.handler}"
  runtime                        = "nodejs24.x"
  architectures                  = [var.architecture]
  memory_size                    = 512
  timeout                        = each.value.timeout
  kms_key_arn                    = aws_kms_key.operations.arn
  layers                         = [var.secrets_extension_arn]
  reserved_concurrent_executions = each.key == "archive" ? 1 : -1
  tags                           = var.tags
  environment {
    variables = merge(
      local.environment,
      { SECRETS_MANAGER_TTL = "300" },
      merge([for secret in each.value.secrets : {
        "TGEFD_${upper(secret)}"          = "aws-sm:${var.name}/${secret}#current"
        "TGEFD_${upper(secret)}_PREVIOUS" = "aws-sm:${var.name}/${secret}#previous"
      }]...),
    )
  }
  logging_config {
    log_format = "Text"
    log_group  = aws_cloudwatch_log_group.function[each.key].name
  }
}

data "aws_iam_policy_document" "assume" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["lambda.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "function" {
  for_each           = local.functions
  name               = "${var.name}-${each.key}"
  assume_role_policy = data.aws_iam_policy_document.assume.json
  tags               = var.tags
}

data "aws_iam_policy_document" "function" {
  for_each = local.functions
  statement {
    sid       = "Log"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${aws_cloudwatch_log_group.function[each.key].arn}:*"]
  }
  statement {
    sid       = "ReadSecrets"
    actions   = ["secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"]
    resources = [for secret in each.value.secrets : aws_secretsmanager_secret.product[secret].arn]
  }
  statement {
    sid       = "Decrypt"
    actions   = ["kms:Decrypt"]
    resources = [aws_kms_key.operations.arn]
  }
  # The authorizer leaves a record under spill/ when Redis did not take it, and reads nothing.
  dynamic "statement" {
    for_each = each.key == "authorizer" ? [1] : []
    content {
      sid       = "Spill"
      actions   = ["s3:PutObject"]
      resources = ["${aws_s3_bucket.audit.arn}/${local.prefix}/spill/*"]
    }
  }
  dynamic "statement" {
    for_each = each.key == "authorizer" ? [1] : []
    content {
      sid       = "EncryptSpill"
      actions   = ["kms:GenerateDataKey"]
      resources = [aws_kms_key.audit.arn]
    }
  }
  dynamic "statement" {
    for_each = each.key == "archive" ? [1] : []
    content {
      sid       = "List"
      actions   = ["s3:ListBucket"]
      resources = [aws_s3_bucket.audit.arn]
    }
  }
  dynamic "statement" {
    for_each = each.key == "archive" ? [1] : []
    content {
      sid       = "Archive"
      actions   = ["s3:GetObject", "s3:PutObject"]
      resources = [for folder in local.folders : "${aws_s3_bucket.audit.arn}/${local.prefix}/${folder}/*"]
    }
  }
  dynamic "statement" {
    for_each = each.key == "archive" ? [1] : []
    content {
      sid       = "TakeSpilled"
      actions   = ["s3:GetObject", "s3:DeleteObject"]
      resources = ["${aws_s3_bucket.audit.arn}/${local.prefix}/spill/*"]
    }
  }
  dynamic "statement" {
    for_each = each.key == "archive" ? [1] : []
    content {
      sid       = "EncryptRecords"
      actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
      resources = [aws_kms_key.audit.arn]
    }
  }
}

resource "aws_iam_role_policy" "function" {
  for_each = local.functions
  name     = "function"
  role     = aws_iam_role.function[each.key].id
  policy   = data.aws_iam_policy_document.function[each.key].json
}

# --- The archive's schedule ------------------------------------------------------------------------------------------

resource "aws_cloudwatch_event_rule" "every_minute" {
  name                = "${var.name}-archive"
  description         = "Drains audit records into the bucket"
  schedule_expression = "rate(1 minute)"
  tags                = var.tags
}

resource "aws_sqs_queue" "failed_runs" {
  name                      = "${var.name}-failed-archive-runs"
  message_retention_seconds = 1209600
  sqs_managed_sse_enabled   = true
  tags                      = var.tags
}

data "aws_iam_policy_document" "failed_runs" {
  statement {
    actions   = ["sqs:SendMessage"]
    resources = [aws_sqs_queue.failed_runs.arn]
    principals {
      type        = "Service"
      identifiers = ["events.amazonaws.com"]
    }
    condition {
      test     = "ArnEquals"
      variable = "aws:SourceArn"
      values   = [aws_cloudwatch_event_rule.every_minute.arn]
    }
  }
}

resource "aws_sqs_queue_policy" "failed_runs" {
  queue_url = aws_sqs_queue.failed_runs.id
  policy    = data.aws_iam_policy_document.failed_runs.json
}

resource "aws_cloudwatch_event_target" "archive" {
  rule = aws_cloudwatch_event_rule.every_minute.name
  arn  = aws_lambda_function.function["archive"].arn
  retry_policy {
    maximum_event_age_in_seconds = 300
    maximum_retry_attempts       = 2
  }
  dead_letter_config {
    arn = aws_sqs_queue.failed_runs.arn
  }
}

resource "aws_lambda_permission" "schedule" {
  statement_id  = "Schedule"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.function["archive"].function_name
  principal     = "events.amazonaws.com"
  source_arn    = aws_cloudwatch_event_rule.every_minute.arn
}
