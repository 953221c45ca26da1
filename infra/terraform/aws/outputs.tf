output "authorizer_id" {
  description = "For authorizer_id of your routes or methods, with type CUSTOM."
  value       = local.is_http ? aws_apigatewayv2_authorizer.http[0].id : aws_api_gateway_authorizer.rest[0].id
}

output "identity_parameters" {
  description = "For request_parameters of your integrations: the identity over whatever the caller sent."
  value = { for field, variable in local.identity :
    (local.is_http ? "overwrite:header.${field}" : "integration.request.header.${field}") =>
    (local.is_http ? "$context.authorizer.${variable}" : "context.authorizer.${variable}")
  }
}

output "secret_names" {
  description = "Secrets that you fill, each with {\"current\": \"…\", \"previous\": \"\"}."
  value       = { for key, secret in aws_secretsmanager_secret.product : key => secret.name }
}

output "audit_bucket" {
  description = "Name of the bucket with the audit records."
  value       = aws_s3_bucket.audit.bucket
}

output "functions" {
  description = "ARNs of the functions: authorizer, archive, and metadata with TGEFD_RESOURCE."
  value       = { for key, function in aws_lambda_function.function : key => function.arn }
}

output "metadata_methods" {
  description = "REST API only: put it among the triggers of your aws_api_gateway_deployment, so that the metadata is deployed."
  value       = [for key, integration in aws_api_gateway_integration.metadata : "${integration.id} ${integration.uri}"]
}
