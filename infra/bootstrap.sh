#!/bin/bash
# Prepares an account and a region, once: npm run bootstrap -- ACCOUNT REGION [NAME]
# Safe to repeat. Needs credentials of an administrator; deployments do not.
set -euo pipefail
usage='usage: npm run bootstrap -- ACCOUNT REGION [NAME]'
account=${1:?$usage}
region=${2:?$usage}
name=${3:-cloudinary-listener}

# IAM works on the account of the credentials, and the CDK on ACCOUNT: they must be the same
IFS=: read -r _ partition _ _ own _ < <(aws sts get-caller-identity --region "$region" --query Arn --output text)
if [ "${own:-}" != "$account" ]; then
  echo "The credentials are of account ${own:-unknown}, not $account: choose others, such as with AWS_PROFILE" >&2
  exit 1
fi
policy=arn:$partition:iam::$account:policy/$name-deploy

# The first ECS cluster of an account fails while AWS still creates this role, so it must exist before
aws iam get-role --role-name AWSServiceRoleForECS > /dev/null 2>&1 ||
  aws iam create-service-linked-role --aws-service-name ecs.amazonaws.com > /dev/null

# What CloudFormation may do, instead of AdministratorAccess. IAM keeps five versions of a policy
document=$(node infra/deploy-policy.ts "$name")
if aws iam get-policy --policy-arn "$policy" > /dev/null 2>&1; then
  for version in $(aws iam list-policy-versions --policy-arn "$policy" \
    --query 'Versions[?!IsDefaultVersion].VersionId' --output text); do
    aws iam delete-policy-version --policy-arn "$policy" --version-id "$version"
  done
  aws iam create-policy-version --policy-arn "$policy" --policy-document "$document" --set-as-default > /dev/null
else
  aws iam create-policy --policy-name "$name-deploy" --policy-document "$document" > /dev/null
fi

cdk bootstrap "aws://$account/$region" --cloudformation-execution-policies "$policy"

# Findings are in ECR: aws ecr describe-image-scan-findings
aws ecr put-image-scanning-configuration --region "$region" \
  --repository-name "cdk-hnb659fds-container-assets-$account-$region" \
  --image-scanning-configuration scanOnPush=true > /dev/null
echo "$account/$region is ready: npm run deploy:state"
